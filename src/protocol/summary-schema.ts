/** The schema of summary document v1, and its strict reading: for whoever receives documents. */

import { z } from 'zod';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { HISTOGRAM_BUCKETS, HISTOGRAM_RELATIVE_ERROR, HISTOGRAM_SCHEME } from '../stats/histogram.ts';

const SUMMARY_SCHEMA = 'popprobe.summary/1';

/** Names of PoPs, probe classes and peers: lower case, so that they are safe in file names, URLs and labels. */
export const nameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);

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

const pathSchema = z.strictObject({
  class: nameSchema,
  kind: z.enum(['icmp', 'stamp']),
  family: z.enum(['ipv4', 'ipv6']),
  dscp: z.int().min(0).max(63),
  /** Octets of the UDP or ICMP payload. */
  size_bytes: count,
  /** Flow number within the class: one UDP source port each; 0 for ICMP. */
  flow: count,
  interval_ms: z.number().positive(),
  counts: countsSchema,
  /** Refused probes by errno of the local kernel, as pairs of errno and count. */
  refused_by_errno: z.array(z.tuple([count, count.min(1)])).max(256),
  /** The SLA's round trip: net of the reflector's residence time for STAMP, raw for ICMP. Absent without samples. */
  rtt: delaySchema.nullable(),
  /** STAMP only: the round trip including residence time. */
  rtt_raw: delaySchema.nullable(),
  /** STAMP only: the reflector's residence time (T3 - T2). */
  residence: delaySchema.nullable(),
  histogram: histogramSchema.nullable(),
  ipdv: ipdvSchema.nullable(),
  provenance: provenanceSchema,
  /** Seconds of the window with any loss: second, sent, lost, sum of delays in ns. */
  seconds_with_loss: z.array(z.tuple([count, count, count, nanoseconds])).max(300),
});

const peerSchema = z.strictObject({
  peer: nameSchema,
  /** One letter a second of the window: g good, b bad (loss ratio over all paths > 50 %), u unknown. */
  seconds: z.string().regex(/^[gbu]{1,300}$/),
  paths: z.array(pathSchema).max(256),
});

const instrumentSchema = z.strictObject({
  /** Wake-ups of the probing thread, and how late the latest and the 99th percentile of them were. */
  ticks: count,
  tick_late_p99_ns: nanoseconds,
  tick_late_max_ns: nanoseconds,
  /** Wake-ups later than the stall limit, and the longest. */
  stalls: count,
  stall_max_ns: nanoseconds,
  /** Received datagrams that the kernel dropped because our socket was full. */
  socket_drops: count,
  /** Received probes whose kernel TX stamp never came: their round trip begins at the user-space T1. */
  tx_stamps_missing: count,
  /** Replies that matched no probe, by reason. */
  replies_refused: z.record(z.string().regex(/^[a-z_]{1,40}$/), count),
  /** Late or duplicate replies to probes of windows already sealed. */
  stragglers: count,
  /** Ring slots overwritten before they were summarised. */
  ring_overwritten: count,
  /** Packets this PoP's reflector answered, and those it dropped, by reason. */
  reflected: count,
  reflector_dropped: z.record(z.string().regex(/^[a-z_]{1,40}$/), count),
  /** Of those answered: T2 is a user-space reading, because the kernel did not stamp the request. */
  reflector_stamps_missing: count,
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
    tmax_ms: count,
    tick_ms: z.number().positive(),
    schedule: z.literal('periodic'),
    transport: z.partialRecord(z.enum(['icmp', 'stamp']), z.string().max(64)),
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
  peers: z.array(peerSchema).max(4095),
});

type Summary = z.infer<typeof summarySchema>;

/** Says which path breaks `due = received + lost + refused + missed + void`, or null when none does. */
function outcomeMismatch(summary: Summary): string | null {
  for (const peer of summary.peers) {
    for (const path of peer.paths) {
      const c = path.counts;
      const sum = c.received + c.lost + c.refused + c.missed + c.void;
      if (c.due !== sum) return `${peer.peer}/${path.class}/${path.flow}: due ${c.due}, sum of outcomes ${sum}`;
      if (c.late + c.unreachable > c.lost)
        return `${peer.peer}/${path.class}/${path.flow}: late and unreachable exceed lost`;
    }
  }
  return null;
}

/** Says how the clock's figures go beyond what its source could know, or null when they do not. */
function clockMismatch({ clock }: Summary): string | null {
  if ((clock.source === 'none') !== (clock.synchronised === null))
    return `clock: synchronised ${clock.synchronised} by ${clock.source}`;
  if (clock.synchronised !== true && (clock.offset_ns !== null || clock.max_error_ns !== null))
    return 'clock: offset or error of a clock that is not synchronised';
  return null;
}

/**
 * Reads the octets of one summary. Call it only on octets whose signature has been verified.
 *
 * @throws PopprobeError `malformed` when the octets are not UTF-8 or not JSON; `schema` when the document breaks the
 * schema or contradicts itself, with the place in `found`.
 */
export function parseSummary(octets: Uint8Array): Summary {
  const result = summarySchema.safeParse(parseJson(octets));
  if (!result.success) {
    const issue = result.error.issues[0];
    const place = issue === undefined || issue.path.length === 0 ? 'the document' : issue.path.join('.');
    throw schemaError(`a document of schema ${SUMMARY_SCHEMA}`, `${place}: ${issue?.message ?? 'invalid'}`);
  }
  const contradiction = outcomeMismatch(result.data) ?? clockMismatch(result.data) ?? ambiguity(result.data);
  if (contradiction !== null) throw schemaError('a document that agrees with itself', contradiction);
  return result.data;
}

function parseJson(octets: Uint8Array): unknown {
  try {
    // ignoreBOM keeps a byte order mark in the text, where JSON.parse refuses it (RFC 8259 section 8.1).
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets));
  } catch (cause) {
    throw new PopprobeError('malformed', {
      expected: 'JSON in UTF-8',
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'send the octets exactly as they were signed',
      cause,
    });
  }
}

function schemaError(expected: string, found: string): PopprobeError {
  const remedy = "compare the agent's and the collector's versions; docs/protocol.md describes the document";
  return new PopprobeError('schema', { expected, found, remedy });
}

/** Says what in the document could be read in two ways, or null when nothing can. */
function ambiguity(summary: Summary): string | null {
  const { start, start_unix_s, length_s } = summary.window;
  if (Date.parse(start) !== start_unix_s * 1000) return `window: start ${start} is not start_unix_s ${start_unix_s}`;
  const peers = new Set<string>();
  for (const peer of summary.peers) {
    if (peers.has(peer.peer)) return `${peer.peer}: listed twice`;
    peers.add(peer.peer);
    if (peer.seconds.length !== length_s) return `${peer.peer}: ${peer.seconds.length} seconds in ${length_s} s`;
    const twice = repeatedPath(peer);
    if (twice !== null) return `${peer.peer}/${twice}: listed twice`;
  }
  return null;
}

/** The first path of the peer that has the identity of another one, or null. */
function repeatedPath(peer: Summary['peers'][number]): string | null {
  const seen = new Set<string>();
  for (const path of peer.paths) {
    const identity = [path.class, path.kind, path.family, path.dscp, path.size_bytes, path.flow].join('/');
    if (seen.has(identity)) return identity;
    seen.add(identity);
  }
  return null;
}
