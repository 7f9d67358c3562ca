/** The schema of a path trace: the routers between two PoPs, as evidence in a record. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { nameSchema } from './name-schema.ts';

const octet = z.int().min(0).max(255);
/** Not bounded by the longest trace: a host that was stalled must not make its own evidence invalid. */
const microseconds = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const address = z.union([z.ipv4(), z.ipv6()]);

/** What came back for one probe; four times null when nothing did. */
const answerSchema = z
  .strictObject({
    /** Who answered: the router at that hop, or the destination. */
    address: address.nullable(),
    /** From just before the send until the answer was read, on CLOCK_MONOTONIC. */
    rtt_us: microseconds.nullable(),
    /** ICMP or, for IPv6, ICMPv6 type and code of the answer. */
    icmp_type: octet.nullable(),
    icmp_code: octet.nullable(),
  })
  .refine((answer) => new Set(Object.values(answer).map((value) => value === null)).size === 1, 'all null, or none');

const hopSchema = z.strictObject({
  ttl: z.int().min(1).max(LIMITS.traceHopsMax),
  /** One a probe, in the order of sending. */
  answers: z.array(answerSchema).min(1).max(LIMITS.traceProbesPerHop),
});

/** What a trace found: the destination, only a part of the way to it, or nothing because this host could not look. */
export const traceSchema = z
  .strictObject({
    peer: nameSchema,
    family: z.enum(['ipv4', 'ipv6']),
    address,
    reason: z.enum(['pair_bad', 'requested']),
    started_at: z.iso.datetime(),
    duration_us: microseconds,
    outcome: z.enum(['reached', 'incomplete', 'failed']),
    /** Why this host could not look; null unless `failed`. */
    failure: z.string().min(1).max(LIMITS.traceFailureCharactersMax).nullable(),
    hops: z.array(hopSchema).max(LIMITS.traceHopsMax),
  })
  .refine(
    (trace) => (trace.outcome === 'failed') === (trace.failure !== null),
    'failure belongs to failed, and only to it',
  )
  .refine((trace) => trace.hops.every((hop, index) => hop.ttl === index + 1), 'hops are listed from 1 up');
