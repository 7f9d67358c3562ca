/** The schema of a scenario: an emulated backbone, what its links do to packets, and what happens to it when. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { limitsSchema, meshSchema } from './mesh-schema.ts';
import { choice, configName, schemaLine, wholeNumber } from './schema-parts.ts';

export const LAB_SCHEMA = 'popprobe.lab/1';

/** The host that runs the collector, and so no name for a PoP. */
export const LAB_COLLECTOR = 'collector';

/** Short, because somebody sits before the lab and waits. */
const WINDOW_S = 10;

/** The smallest packet that every IPv4 host takes (RFC 791 section 3.1), to that of Ethernet. */
const MTU_BYTES_MIN = 576;
const MTU_BYTES_MAX = 1500;

const SEED_MAX = 0xffff_ffff;

const RATIO = 'a ratio from 0 to 1';
const ratio = z.number(RATIO).min(0, RATIO).max(1, RATIO);

const delayMs = between(0, LIMITS.labDelayMsMax, 'a number of ms');

/**
 * What a direction does to packets. No key has a default here: what one entry leaves out, a more general one may say.
 * `null` turns off what a more general one has turned on.
 */
export const behaviourSchema = z.strictObject({
  delay_ms: delayMs.optional(),
  distribution: choice(['fixed', 'normal', 'pareto']).optional(),
  spread_ms: delayMs.optional(),
  jitter_ms: delayMs.optional(),
  loss: ratio.optional(),
  bursts: z
    .strictObject({ to_bad: ratio, to_good: ratio, loss_good: ratio.default(0), loss_bad: ratio.default(1) })
    .nullable()
    .optional(),
  duplicate: ratio.optional(),
  reorder: z.strictObject({ ratio, by_ms: delayMs }).nullable().optional(),
  corrupt: ratio.optional(),
  rate: z
    .strictObject({
      kbit_per_s: between(1, LIMITS.labRateKbitMax, 'a number of kbit/s'),
      queue_ms: delayMs,
    })
    .nullable()
    .optional(),
  mtu: z
    .strictObject({
      bytes: wholeNumber(MTU_BYTES_MIN, MTU_BYTES_MAX, 'a number of octets'),
      black_hole: z.boolean('true or false').default(false),
    })
    .nullable()
    .optional(),
  hops: wholeNumber(1, LIMITS.labHopsMax, 'a number of routers').optional(),
});

const TWO_POPS = 'two PoPs, as [hkg1, sin1]';

/** Which directions an entry is about; that it says so in exactly one way is checked with the conflicts. */
const ends = {
  between: z.tuple([configName, configName], TWO_POPS).optional(),
  from: configName.optional(),
  to: configName.optional(),
};

/** The ends alone, whatever stands beside them. */
export const endsSchema = z.object(ends);

const MEMBERS = `1 to ${LIMITS.labMembersMax} members`;

export const linkSchema = z.strictObject({
  ...ends,
  ...behaviourSchema.shape,
  ecmp: z.array(behaviourSchema).min(1, MEMBERS).max(LIMITS.labMembersMax, MEMBERS).optional(),
});

const SOME_TIME = `a number of seconds above 0, at most ${LIMITS.labEventSecondsMax}`;

export const eventSchema = z.strictObject({
  at_s: between(0, LIMITS.labEventSecondsMax, 'a number of seconds'),
  for_s: z.number(SOME_TIME).gt(0, SOME_TIME).max(LIMITS.labEventSecondsMax, SOME_TIME).optional(),
  isolate: configName.optional(),
  ...ends,
  member: wholeNumber(0, LIMITS.labMembersMax - 1, 'the number of a member').optional(),
  set: behaviourSchema.optional(),
  delay_factor: between(0, LIMITS.labDelayFactorMax, 'a factor').optional(),
});

const families = z.array(choice(['ipv4', 'ipv6'])).min(1, 'at least one of ipv4 and ipv6');

export const labPopSchema = z.strictObject({
  name: configName,
  families: families.optional(),
  clock_offset_ms: between(-LIMITS.labClockOffsetMsMax, LIMITS.labClockOffsetMsMax, 'a number of ms').default(0),
});

/** `near` is the first PoP where nothing else is said. */
export const nearSchema = z.strictObject({
  near: configName.optional(),
  delay_ms: delayMs.default(1),
});

const POPS = `2 to ${LIMITS.labPopsMax} PoPs`;

export const labSchema = z.strictObject({
  schema: schemaLine(LAB_SCHEMA),
  name: configName,
  seed: wholeNumber(0, SEED_MAX),
  window_s: meshSchema.shape.window_s.unwrap().default(WINDOW_S),
  tmax_ms: meshSchema.shape.tmax_ms,
  stamp_port: meshSchema.shape.stamp_port,
  schedule: meshSchema.shape.schedule,
  limits: limitsSchema.optional(),
  families: families.default(['ipv4', 'ipv6']),
  pops: z.array(labPopSchema).min(2, POPS).max(LIMITS.labPopsMax, POPS),
  probes: meshSchema.shape.probes,
  collector: nearSchema.optional(),
  defaults: behaviourSchema.optional(),
  links: z.array(linkSchema).default([]),
  events: z.array(eventSchema).max(LIMITS.labEventsMax, `at most ${LIMITS.labEventsMax} events`).default([]),
});

function between(min: number, max: number, what: string): z.ZodNumber {
  const expected = `${what} from ${min} to ${max}`;
  return z.number(expected).min(min, expected).max(max, expected);
}
