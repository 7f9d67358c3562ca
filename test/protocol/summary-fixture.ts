/** Builds complete, valid summaries and keys for tests; a test changes only what it is about. */

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { digestOf } from '../../src/protocol/digest.ts';
import type { DocumentKind } from '../../src/protocol/document-kind.ts';
import { type SigningKey, signDetached } from '../../src/protocol/jws.ts';
import {
  type Summary,
  type SummaryCounts,
  type SummaryDelay,
  type SummaryPath,
  type SummaryPeer,
} from '../../src/protocol/summary.ts';
import type { PathTrace } from '../../src/protocol/record.ts';
import { bucketOf, HISTOGRAM_RELATIVE_ERROR, HISTOGRAM_SCHEME, LogHistogram } from '../../src/stats/histogram.ts';

export const WINDOW_START_S = 1_767_225_600;
const WINDOW_LENGTH_S = 60;
const RESIDENCE_NS = 20_000;

/** Counts that keep the outcome identity whatever is overridden, unless `due` itself is. */
export function buildCounts(overrides: Partial<SummaryCounts> = {}): SummaryCounts {
  const counts = { due: 0, received: 600, lost: 0, refused: 0, missed: 0, void: 0 };
  const beside = { late: 0, unreachable: 0, corrupt: 0, duplicate: 0, reordered: 0 };
  const merged = { ...counts, ...beside, ...overrides };
  const due = merged.received + merged.lost + merged.refused + merged.missed + merged.void;
  return { ...merged, due: overrides.due ?? due };
}

/** Delay figures of `n` samples that all took `rttNs`. */
function buildDelay(n: number, rttNs: number): SummaryDelay {
  return {
    n,
    sum_ns: n * rttNs,
    min_ns: rttNs,
    mean_ns: rttNs,
    max_ns: rttNs,
    stddev_ns: 0,
    p50_ns: rttNs,
    p95_ns: rttNs,
    p99_ns: rttNs,
    p999_ns: rttNs,
  };
}

/** The figures of a path from which `n` replies came, all after `rttNs`; a STAMP path has two of them more. */
function buildFigures(kind: SummaryPath['kind'], n: number, rttNs: number) {
  if (n === 0) {
    return { rtt: null, rtt_raw: null, residence: null, one_way: null, histogram: null, ipdv: null, pdv: null };
  }
  const histogram = new LogHistogram();
  histogram.addPairs([[bucketOf(rttNs), n]]);
  const stamp = kind === 'stamp';
  return {
    rtt: buildDelay(n, rttNs),
    rtt_raw: stamp ? buildDelay(n, rttNs + RESIDENCE_NS) : null,
    residence: stamp ? buildDelay(n, RESIDENCE_NS) : null,
    histogram: {
      scheme: HISTOGRAM_SCHEME,
      relative_error: HISTOGRAM_RELATIVE_ERROR,
      buckets: histogram.pairs(),
    } as const,
    one_way: null,
    pdv: { p95_ns: 0, p999_ns: 0 },
    ipdv: n > 1 ? { n: n - 1, mean_abs_ns: 0, p95_abs_ns: 0, min_ns: 0, max_ns: 0 } : null,
  };
}

/** A path whose received probes all took `rttNs`; without received probes it has no delay figures. */
export function buildPath(overrides: Partial<SummaryPath> = {}, rttNs = 12_000_000): SummaryPath {
  const counts = overrides.counts ?? buildCounts();
  const kind = overrides.kind ?? 'stamp';
  const n = counts.received;
  return {
    class: 'best-effort',
    kind,
    family: 'ipv4',
    dscp: 0,
    size_bytes: 100,
    flow: 0,
    interval_ms: 100,
    counts,
    refused_by_errno: counts.refused > 0 ? [[1, counts.refused]] : [],
    unreachable_by: [],
    stragglers: 0,
    loss_direction: kind === 'stamp' ? { forward: 0, reverse: 0, unresolved: 0, open: counts.lost, restarts: 0 } : null,
    loss_periods: null,
    hops: { forward: null, backward: null },
    dscp_remarked: { forward: 0, reverse: 0 },
    direct_measurement: null,
    ...buildFigures(kind, n, rttNs),
    provenance: { tx_hardware: 0, tx_kernel: n, tx_user: 0, rx_hardware: 0, rx_kernel: n, rx_user: 0 },
    seconds_with_loss: [],
    ...overrides,
  };
}

/** A peer with four STAMP flows and one ICMP path. */
export function buildPeer(peer: string, overrides: Partial<SummaryPeer> = {}): SummaryPeer {
  const flows = [0, 1, 2, 3].map((flow) => buildPath({ flow }));
  const icmp = buildPath({ class: 'echo', kind: 'icmp', size_bytes: 56 }, 12_100_000);
  return {
    peer,
    seconds: 'g'.repeat(WINDOW_LENGTH_S),
    classes: [],
    paths: [...flows, icmp],
    reflected: [],
    ...overrides,
  };
}

/** The summary of PoP `fra` about its peers `ams` and `par`; the window follows from the sequence number. */
export function buildSummary(overrides: Partial<Summary> = {}): Summary {
  const sequence = overrides.sequence ?? 1;
  const startS = WINDOW_START_S + (sequence % 100_000) * WINDOW_LENGTH_S;
  return {
    schema: 'popprobe.summary/1',
    pop: 'fra',
    boot_id: '6f1c8f6e-3f0a-4c44-9a37-5d3a5b8f0d11',
    sequence,
    prev: null,
    window: {
      start: new Date(startS * 1000).toISOString(),
      start_unix_s: startS,
      length_s: WINDOW_LENGTH_S,
    },
    config_digest: digestOf(Buffer.from('mesh.yaml')),
    software: 'popprobe 0.1.0',
    parameters: {
      tmax_ms: 3000,
      tick_ms: 5,
      schedule: 'periodic',
      transport: { icmp: 'linux', stamp: 'linux' },
      transport_reason: null,
    },
    clock: {
      synchronised: true,
      offset_ns: -12_000,
      max_error_ns: 1_500_000,
      source: 'adjtimex',
      steps: 0,
      step_max_ns: 0,
    },
    instrument: {
      ticks: 12_000,
      tick_late_p99_ns: 80_000,
      tick_late_max_ns: 900_000,
      stalls: 0,
      stall_max_ns: 0,
      socket_drops: 0,
      receive_buffer_bytes: 16_777_216,
      tx_stamps_missing: 0,
      replies_refused: { wrong_source: 1 },
      stragglers: 0,
      ring_overwritten: 0,
      reflected: 2400,
      reflector_dropped: {},
      reflector_stamps_missing: 0,
      reflected_too_late: 0,
      suspends: 0,
      icmp_errors_unmatched: 0,
      replies_without_ssid: 0,
      reply_tlvs_refused: 0,
      reflector_tlvs_malformed: 0,
      reflector_tlvs_bad_mac: 0,
      floor: [],
    },
    peers: [buildPeer('ams'), buildPeer('par')],
    ...overrides,
  };
}

/** A trace over one silent hop to the destination. */
export function buildTrace(overrides: Partial<PathTrace> = {}): PathTrace {
  const silence = { address: null, rtt_us: null, icmp_type: null, icmp_code: null };
  const answerOf = (address: string, icmp_type: number) => (rtt_us: number) => ({
    address,
    rtt_us,
    icmp_type,
    icmp_code: 0,
  });
  return {
    peer: 'ams',
    family: 'ipv4',
    address: '192.0.2.9',
    reason: 'pair_bad',
    started_at: '2026-01-01T00:00:42.123Z',
    duration_us: 1_012_345,
    outcome: 'reached',
    failure: null,
    hops: [
      { ttl: 1, answers: [412, 398, 405].map(answerOf('198.51.100.1', 11)) },
      { ttl: 2, answers: [silence, silence, silence] },
      { ttl: 3, answers: [11_800, 11_790, 11_812].map(answerOf('192.0.2.9', 0)) },
    ],
    ...overrides,
  };
}

/** The octets an agent would sign. */
export function octetsOf(document: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(document)}\n`);
}

export interface TestKey extends SigningKey {
  publicKey: KeyObject;
}

/** A fresh Ed25519 key pair with its RFC 7638 thumbprint. */
export async function buildKey(): Promise<TestKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { kty, crv, x } = publicKey.export({ format: 'jwk' });
  if (kty === undefined || crv === undefined || x === undefined) throw new Error('no Ed25519 JWK');
  return { kid: await calculateJwkThumbprint({ kty, crv, x }), privateKey, publicKey };
}

export interface SignedDocument {
  octets: Buffer;
  signature: string;
  digest: string;
}

/** Serialises and signs whatever is given, valid or not. */
export async function signDocument(
  document: unknown,
  key: SigningKey,
  kind: DocumentKind = 'summary',
): Promise<SignedDocument> {
  const octets = octetsOf(document);
  return { octets, signature: signDetached(octets, key, kind), digest: digestOf(octets) };
}
