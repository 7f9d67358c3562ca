/** The schema of summary document v1. Writers know it as types (`summary.ts`), receivers read by it (`parse-summary.ts`). */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { HISTOGRAM_BUCKETS, HISTOGRAM_RELATIVE_ERROR, HISTOGRAM_SCHEME } from '../stats/histogram.ts';
import { listOf } from './list-schema.ts';
import { nameSchema } from './name-schema.ts';

export const SUMMARY_SCHEMA = 'popprobe.summary/1';

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Probes of one path in one window: bounded so that sums over every path of a mesh stay exact in a double. */
const probes = z
  .int()
  .min(0)
  .max(LIMITS.probesPerSecondMax * LIMITS.windowSecondsMax);
const nanoseconds = z.int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** Counts of one path over the window. `due = received + lost + refused + missed + void`; late is part of lost. */
const countsSchema = z.strictObject({
  due: probes,
  received: probes,
  lost: probes,
  refused: probes,
  missed: probes,
  void: probes,
  /** Of `lost`: a reply came, but after Tmax and before the window was sealed. */
  late: probes,
  /** Of `lost`: an ICMP error said that the probe did not arrive. */
  unreachable: probes,
  /** Of `lost`: a reply came, damaged on the way. */
  corrupt: probes,
  /** Replies beyond the first to the same probe. Beside the outcomes. */
  duplicate: count,
  /** Replies that arrived after the reply to a later probe (RFC 4737 section 3.3). Beside the outcomes. */
  reordered: count,
});

/** Delay figures in ns over received probes (RFC 8912 section 4.3.1: conditional on arrival). */
const delaySchema = z.strictObject({
  n: probes.min(1),
  sum_ns: nanoseconds,
  min_ns: nanoseconds,
  mean_ns: nanoseconds,
  max_ns: nanoseconds,
  stddev_ns: nanoseconds,
  p50_ns: nanoseconds,
  p95_ns: nanoseconds,
  p99_ns: nanoseconds,
  p999_ns: nanoseconds,
});

/** Sparse log-bucket histogram: pairs of bucket index and count, ascending. The scheme is in docs/statistics.md. */
const histogramSchema = z.strictObject({
  scheme: z.literal(HISTOGRAM_SCHEME),
  relative_error: z.literal(HISTOGRAM_RELATIVE_ERROR),
  buckets: z.array(z.tuple([count.max(HISTOGRAM_BUCKETS - 1), probes.min(1)])).max(HISTOGRAM_BUCKETS),
});

/** IPDV of consecutive sent probes, both received (RFC 3393), on round-trip delays. */
const ipdvSchema = z.strictObject({
  n: count.min(1),
  mean_abs_ns: nanoseconds,
  p95_abs_ns: nanoseconds,
  min_ns: nanoseconds,
  max_ns: nanoseconds,
});

/** Where the stamps of the received probes came from, counted. */
const provenanceSchema = z.strictObject({
  tx_hardware: count,
  tx_kernel: count,
  tx_user: count,
  rx_hardware: count,
  rx_kernel: count,
  rx_user: count,
});

/** PDV(i) = D(i) - D_min of the window, on round-trip delays (RFC 5481 section 4.2). */
const pdvSchema = z.strictObject({ p95_ns: nanoseconds, p999_ns: nanoseconds });

/** One-way delays of the probes for which both clocks were synchronised; their error is at most `error_ns`. */
const oneWaySchema = z.strictObject({ forward: delaySchema, backward: delaySchema, error_ns: nanoseconds });

/** Which way probes were lost, by the reflector's own numbers; `open` waits for the next reply. */
const lossDirectionSchema = z.strictObject({
  forward: count,
  reverse: count,
  unresolved: count,
  open: count,
  restarts: count,
});

/** Runs of losses within the window (RFC 3357), in measured probes. */
const lossPeriodsSchema = z.strictObject({
  periods: count.min(1),
  length_max: count.min(1),
  length_mean: z.number().min(1),
  inter_loss_min: count.nullable(),
  inter_loss_mean: z.number().nullable(),
  inter_loss_max: count.nullable(),
  noticeable_rate: z.number().min(0).max(1),
});

/** Routers on the way by TTL: 255 minus what arrived. */
const hops = z.int().min(0).max(255);
const hopsSchema = z.strictObject({ n: probes.min(1), min: hops, max: hops, last: hops, changes: count });

const octet = z.int().min(0).max(255);
/** Lost probes for which an ICMP error came, by what it said and who sent it (null: not recorded). */
const unreachableSchema = z.strictObject({
  icmp_type: octet,
  icmp_code: octet,
  from: z.union([z.ipv4(), z.ipv6()]).nullable(),
  count: probes.min(1),
});

const pathSchema = z.strictObject({
  class: nameSchema,
  kind: z.enum(['icmp', 'stamp']),
  family: z.enum(['ipv4', 'ipv6']),
  dscp: z.int().min(0).max(63),
  /** Octets of the UDP or ICMP payload. */
  size_bytes: count,
  /** Flow number within the class: one UDP source port each; 0 for ICMP. */
  flow: count,
  interval_ms: z.number().min(LIMITS.intervalMsMin).max(LIMITS.intervalMsMax),
  counts: countsSchema,
  /** Refused probes by errno of the local kernel (an octet of the ring), as pairs of errno and count. */
  refused_by_errno: z.array(z.tuple([count, count.min(1)])).max(256),
  unreachable_by: z.array(unreachableSchema).max(LIMITS.unreachableRowsMax),
  /** Replies that came for probes of windows already sealed: copies, or later than any wait. */
  stragglers: count,
  /** The SLA's round trip: net of the reflector's residence time for STAMP, raw for ICMP. Absent without samples. */
  rtt: delaySchema.nullable(),
  /** STAMP only: the round trip including residence time. */
  rtt_raw: delaySchema.nullable(),
  /** STAMP only: the reflector's residence time (T3 - T2). */
  residence: delaySchema.nullable(),
  one_way: oneWaySchema.nullable(),
  histogram: histogramSchema.nullable(),
  ipdv: ipdvSchema.nullable(),
  pdv: pdvSchema.nullable(),
  /** STAMP with a stateful reflector only. */
  loss_direction: lossDirectionSchema.nullable(),
  loss_periods: lossPeriodsSchema.nullable(),
  hops: z.strictObject({ forward: hopsSchema.nullable(), backward: hopsSchema.nullable() }),
  /** Probes and replies that arrived with another DSCP than they were sent with, as far as that can be told. */
  dscp_remarked: z.strictObject({ forward: count, reverse: count }),
  /** The reflector's own counts of the session's packets, cumulative modulo 2^32 (Direct Measurement TLV). */
  direct_measurement: z.strictObject({ reflector_received: count, reflector_sent: count }).nullable(),
  provenance: provenanceSchema,
  /** Seconds of the window with any loss: second, sent, lost, sum of delays in ns. */
  seconds_with_loss: z.array(z.tuple([count, count, count, nanoseconds])).max(300),
});

/**
 * All flows of a probe class towards the peer as one. Sums, extremes and mean are exact; the percentiles are those of the
 * merged histograms, with their relative error.
 */
const classSchema = z.strictObject({
  class: nameSchema,
  flows: z.int().min(1).max(LIMITS.flowsMax),
  counts: countsSchema,
  rtt: delaySchema.omit({ stddev_ns: true }).nullable(),
  /** Flow with the highest loss ratio, of equals with the highest mean delay; null with fewer than two to compare. */
  worst_flow: count.nullable(),
});

/** A peer's STAMP session as this PoP's reflector saw it: the other end of what the peer's own summary says. */
const reflectedSchema = z.strictObject({
  class: nameSchema,
  family: z.enum(['ipv4', 'ipv6']),
  flow: count,
  /** Requests admitted whose T2 lies in the window. */
  received: probes,
  /** Replies to these that the local kernel took. */
  replied: probes,
});

const peerSchema = z.strictObject({
  peer: nameSchema,
  /** One letter a second of the window: g good, b bad (loss ratio over all paths > 50 %), u unknown. */
  seconds: z.string().regex(/^[gbu]{1,300}$/),
  /** A mesh has at most 16 ICMP classes, and as many STAMP classes as flows: 32. A reload never mixes two meshes here. */
  classes: z.array(classSchema).max(64),
  /** One for each ICMP class and each flow: 32. */
  paths: listOf(pathSchema, 256),
  /** Here it does: a reload that would bring more into one window is refused (`Reload`). */
  reflected: z.array(reflectedSchema).max(LIMITS.reflectedSessionsMax),
});

/** Round trips from the PoP to itself: what this host alone adds, the least error of the window's delays. */
const floorSchema = z.strictObject({
  kind: z.enum(['icmp', 'stamp']),
  family: z.enum(['ipv4', 'ipv6']),
  due: probes,
  received: probes,
  p50_ns: nanoseconds.nullable(),
  p99_ns: nanoseconds.nullable(),
  max_ns: nanoseconds.nullable(),
});

const instrumentSchema = z.strictObject({
  /** Wake-ups of the probing thread, and how late the latest and the 99th percentile of them were. */
  ticks: count,
  tick_late_p99_ns: nanoseconds,
  tick_late_max_ns: nanoseconds,
  /** Wake-ups later, and ticks longer, than the stall limit, and the longest. */
  stalls: count,
  stall_max_ns: nanoseconds,
  /** Received datagrams that the kernel dropped because our socket was full, and times the host was suspended. */
  socket_drops: count,
  suspends: count,
  /** The smallest receive buffer of a probing socket, in octets as the operating system accounts them; null: no socket. */
  receive_buffer_bytes: count.nullable(),
  /** Received probes whose kernel TX stamp never came: their round trip begins at the user-space T1. */
  tx_stamps_missing: count,
  /** Replies that matched no probe, by reason. */
  replies_refused: z.record(z.string().regex(/^[a-z_]{1,40}$/), count),
  /** ICMP errors that quote too little of a packet to tell whose it was. */
  icmp_errors_unmatched: count,
  /** Replies with SSID 0, told by addresses and ports: the reflector does not know RFC 8972. */
  replies_without_ssid: count,
  /** Replies whose TLVs could not be used, at least in part. */
  reply_tlvs_refused: count,
  /** Late or duplicate replies to probes of windows already sealed. */
  stragglers: count,
  /** Ring slots overwritten before they were summarised. */
  ring_overwritten: count,
  /** Packets this PoP's reflector answered, and those it dropped, by reason. */
  reflected: count,
  reflector_dropped: z.record(z.string().regex(/^[a-z_]{1,40}$/), count),
  /** Requests of known sessions that the kernel did not stamp: T2 is a user-space reading. */
  reflector_stamps_missing: count,
  /** Of those answered: in no `reflected`, because the window of their arrival had been sealed already. */
  reflected_too_late: count,
  /** Answered requests with TLVs that had to be marked malformed, or failed their HMAC. */
  reflector_tlvs_malformed: count,
  reflector_tlvs_bad_mac: count,
  /** One for each kind and family. */
  floor: z.array(floorSchema).max(4),
});

export const summarySchema = z.strictObject({
  schema: z.literal(SUMMARY_SCHEMA),
  pop: nameSchema,
  /** Names one run of the agent. */
  boot_id: z.uuid(),
  sequence: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** SHA-256 of the octets of the document before, base64url; null at the start of a chain. */
  prev: digest.nullable(),
  window: z.strictObject({
    /** RFC 3339, for people; `start_unix_s` is the same instant. */
    start: z.iso.datetime(),
    start_unix_s: count,
    length_s: z.int().min(1).max(300),
  }),
  config_digest: digest,
  software: z.string().max(64),
  parameters: z.strictObject({
    /** As a configuration may have them: by these the collector reckons what the two ends of a path may differ by. */
    tmax_ms: z.int().min(LIMITS.tmaxMsMin).max(LIMITS.tmaxMsMax),
    tick_ms: z.number().min(LIMITS.tickMsMin).max(LIMITS.tickMsMax),
    /** Periodic with a random phase per window (RFC 3432), or Poisson (RFC 2330). */
    schedule: z.enum(['periodic', 'poisson']),
    transport: z.partialRecord(z.enum(['icmp', 'stamp']), z.string().max(64)),
    /** Why the kernel does not stamp the packets: an error code, or 'configured'; null: it does. */
    transport_reason: z.string().max(64).nullable(),
  }),
  clock: z.strictObject({
    /** To UTC, by an external source; null: the agent could not find out. */
    synchronised: z.boolean().nullable(),
    /** How far the clock is believed to be ahead of UTC, negative when behind; null: nobody states it. */
    offset_ns: nanoseconds.nullable(),
    /** Bound of the clock's error; null: nobody states one. */
    max_error_ns: count.nullable(),
    /** Who was asked: the kernel, a time daemon, or nobody to be asked. */
    source: z.enum(['adjtimex', 'chrony', 'timesyncd', 'none']),
    /** Times CLOCK_REALTIME was seen to jump against CLOCK_MONOTONIC, and the largest jump. */
    steps: count,
    step_max_ns: nanoseconds,
  }),
  instrument: instrumentSchema,
  peers: listOf(peerSchema, LIMITS.popsMax),
});
