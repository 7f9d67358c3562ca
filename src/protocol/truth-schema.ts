/** The schema of the truth file's lines: what an emulated network says of itself is read as strictly as what agents say. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { nameSchema } from './name-schema.ts';

const SEED_MAX = 0xffff_ffff;

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const microseconds = z.number().min(0);

/** The first line. */
export const truthHeadSchema = z.strictObject({
  schema: z.literal('popprobe.truth/1'),
  scenario: nameSchema,
  seed: z.int().min(0).max(SEED_MAX),
  /** All PoPs, and the collector. */
  hosts: z
    .array(nameSchema)
    .min(2)
    .max(LIMITS.popsMax + 1),
});

const dropsSchema = z.strictObject({
  loss: count,
  isolated: count,
  queue: count,
  mtu: count,
  ttl: count,
  overload: count,
});

const packetsSchema = z.strictObject({
  offered: count,
  dropped: dropsSchema,
  duplicated: count,
  reordered: count,
  corrupted: count,
  delay_n: count,
  delay_sum_us: microseconds,
  delay_min_us: microseconds,
  delay_max_us: microseconds,
});

const probesSchema = z.strictObject({
  sent: count,
  lost: count,
  lost_forward: count,
  lost_reverse: count,
  unanswered: count,
  stamp_n: count,
  stamp_sum_us: microseconds,
  stamp_lag_sum_us: microseconds,
  icmp_n: count,
  icmp_sum_us: microseconds,
  icmp_lag_sum_us: microseconds,
});

/** One ordered pair in one second. */
export const truthRowSchema = z.strictObject({
  second: count,
  from: nameSchema,
  to: nameSchema,
  packets: packetsSchema,
  probes: probesSchema,
});

/** How exact the emulator itself was in one second; the last of its second's lines. */
export const truthErrorSchema = z
  .strictObject({ second: count, error_us: z.array(z.number().positive()).min(1), packets: z.array(count) })
  .refine(({ error_us, packets }) => packets.length === error_us.length + 1, 'one count per bound, and one beyond them')
  .refine(
    ({ error_us }) => error_us.every((bound, index) => index === 0 || bound > (error_us[index - 1] ?? 0)),
    'bounds go up',
  );
