/** The schema of record document v1: one event in a PoP's chain, between its summaries. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { nameSchema } from './name-schema.ts';
import { traceSchema } from './trace-schema.ts';

export const RECORD_SCHEMA = 'popprobe.record/1';

/** Why a document was given up. */
export const GAP_REASONS = ['spool_full', 'too_old', 'damaged', 'refused', 'dropped'] as const;

const sequence = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const nanoseconds = z.int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);
const unixS = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
/** SHA-256, base64url: a digest, or the thumbprint of a key. */
const sha256 = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Documents of this chain that the agent gave up: whoever has none of these numbers misses nothing else. */
const gapSchema = z.strictObject({
  kind: z.literal('gap'),
  /** First and last sequence number of each run, ascending, without overlap. */
  ranges: z
    .array(z.tuple([sequence, sequence]))
    .min(1)
    .max(LIMITS.gapRangesMax),
  reason: z.enum(GAP_REASONS),
});

/** Windows that were measured and never became documents: the disk refused for longer than memory could hold them. */
const unsealedSchema = z.strictObject({
  kind: z.literal('unsealed'),
  from_unix_s: unixS,
  to_unix_s: unixS,
  windows: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  reason: z.enum(['disk', 'too_large']),
});

/** A pair turned bad, or good again. */
const pairEventSchema = z.strictObject({
  kind: z.literal('pair'),
  peer: nameSchema,
  state: z.enum(['good', 'bad']),
  /** Over which most probes were lost in the second that decided. */
  family: z.enum(['ipv4', 'ipv6']),
});

const traceEventSchema = z.strictObject({ kind: z.literal('trace'), trace: traceSchema });

/** CLOCK_REALTIME jumped against CLOCK_MONOTONIC, by this much since the agent last looked. */
const clockStepSchema = z.strictObject({ kind: z.literal('clock_step'), step_ns: nanoseconds });

/** The instrument itself turned sick, or well again. */
const instrumentEventSchema = z.strictObject({
  kind: z.literal('instrument'),
  state: z.enum(['sick', 'well']),
  /** What made it sick; empty when it is well. */
  reasons: z.array(z.enum(['stalls', 'socket_drops', 'ring_overwritten', 'spool_refuses', 'suspended'])).max(8),
});

/**
 * The key that signs from the next document on. Signed by the one until now: who trusts that one sees that its holder
 * meant the change. `x` is the public key (RFC 8037 section 2), `kid` its RFC 7638 thumbprint.
 */
const keyEventSchema = z.strictObject({
  kind: z.literal('key'),
  kid: sha256,
  x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});

export const recordSchema = z.strictObject({
  schema: z.literal(RECORD_SCHEMA),
  pop: nameSchema,
  /** Names one run of the agent. */
  boot_id: z.uuid(),
  sequence,
  /** SHA-256 of the octets of the document before, base64url; null at the start of a chain. */
  prev: sha256.nullable(),
  /** When it happened, RFC 3339 with milliseconds, for people; `at_unix_ms` is the same instant. */
  at: z.iso.datetime({ precision: 3 }),
  at_unix_ms: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  software: z.string().max(64),
  event: z.discriminatedUnion('kind', [
    gapSchema,
    unsealedSchema,
    pairEventSchema,
    traceEventSchema,
    clockStepSchema,
    instrumentEventSchema,
    keyEventSchema,
  ]),
});
