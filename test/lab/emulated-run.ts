/** Builds what a network and its agents would say of the same probes, each by its own rule of what belongs where. */

import type { StoredSummary } from '../../src/lab/stored-documents.ts';
import type { TruthRow } from '../../src/lab/truth.ts';
import type { Truth } from '../../src/lab/truth-file.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import type { Summary, SummaryPath, SummaryPeer } from '../../src/protocol/summary.ts';
import { buildCounts, buildPath, buildSummary, octetsOf, WINDOW_START_S } from '../protocol/summary-fixture.ts';

export const POPS = ['ams', 'fra'] as const;
export const WINDOW_S = 10;
export const START_S = WINDOW_START_S;

/** Void ones have both: what the network did, which the agent does not know. */
type Fate = 'received' | 'lost' | 'void_received' | 'void_lost' | 'refused' | 'missed';

export interface Probe {
  from: string;
  to: string;
  kind: 'stamp' | 'icmp';
  flow: number;
  /** When it falls due, ms since `START_S`; and how much later the emulator reads it. */
  dueMs: number;
  lateMs: number;
  fate: Fate;
  /** There and back in the network; what the hosts add; and how much of that is the emulator's, which read late, µs. */
  networkUs: number;
  hostUs: number;
  lagUs: number;
}

export interface Run {
  truth: Truth;
  documents: EmulatedSummary[];
}

/** What an agent signs, as the lab reads it. */
type EmulatedSummary = Summary & Pick<StoredSummary, 'kind' | 'digest' | 'kid'>;

const ENOBUFS = 105;

/** Both sides of `windows` windows. Paths have an interval of 100 ms. */
export function runOf(probes: readonly Probe[], windows: number): Run {
  return {
    truth: truthOf(probes, windows * WINDOW_S),
    documents: POPS.flatMap((pop) => chainOf(pop, probes, windows)),
  };
}

/** A probe of each of three paths every 100 ms for `lengthS` seconds, from `ams` to `fra`, all received after 12 ms. */
export function steadyProbes(lengthS: number): Probe[] {
  const probes: Probe[] = [];
  for (let dueMs = 30; dueMs < lengthS * 1000; dueMs += 100) {
    for (const [kind, flow] of [
      ['stamp', 0],
      ['stamp', 1],
      ['icmp', 0],
    ] as const) {
      const fate = 'received';
      probes.push({
        from: 'ams',
        to: 'fra',
        kind,
        flow,
        dueMs,
        lateMs: 10,
        fate,
        networkUs: 12_000,
        hostUs: 200,
        lagUs: 0,
      });
    }
  }
  return probes;
}

/** An agent's document as it is after its digest was taken anew, and all behind it. */
export function rechained<T extends StoredSummary>(documents: readonly T[]): T[] {
  const before = new Map<string, string>();
  return documents.map((document) => {
    const prev = before.get(document.pop) ?? null;
    const digest = digestOf(octetsOf({ ...document, prev, digest: null }));
    before.set(document.pop, digest);
    return { ...document, prev, digest };
  });
}

function truthOf(probes: readonly Probe[], lengthS: number): Truth {
  const rows: TruthRow[] = [];
  const errors = [];
  for (let second = START_S; second <= START_S + lengthS; second += 1) {
    const inSecond = probes.filter(
      ({ fate, dueMs, lateMs }) =>
        fate !== 'refused' && fate !== 'missed' && START_S + Math.floor((dueMs + lateMs) / 1000) === second,
    );
    if (inSecond.length > 0) rows.push(rowOf(second, 'ams', 'fra', inSecond), rowOf(second, 'fra', 'ams', inSecond));
    errors.push({ second, error_us: [50, 100, 200], packets: [10, 2, 0, 0] });
  }
  const hosts = [...POPS, 'collector'];
  return { head: { schema: 'popprobe.truth/1', scenario: 'calm', seed: 1, hosts }, rows, errors };
}

/** Requests of `from` to `to` and replies to those of `to`; a reply leaves in the second of its request, both take the same. */
function rowOf(second: number, from: string, to: string, probes: readonly Probe[]): TruthRow {
  const requests = probes.filter((probe) => probe.from === from);
  const answered = requests.filter(isAnswered);
  const lost = requests.length - answered.length;
  const delaysUs = probes.filter(isAnswered).map(({ networkUs }) => networkUs / 2);
  const ofKind = (kind: string): Probe[] => answered.filter((probe) => probe.kind === kind);
  return {
    second,
    from,
    to,
    packets: {
      offered: delaysUs.length + lost,
      dropped: { loss: lost, isolated: 0, queue: 0, mtu: 0, ttl: 0, overload: 0 },
      duplicated: 0,
      reordered: 0,
      corrupted: 0,
      delay_n: delaysUs.length,
      delay_sum_us: sum(delaysUs),
      delay_min_us: delaysUs.length === 0 ? 0 : Math.min(...delaysUs),
      delay_max_us: delaysUs.length === 0 ? 0 : Math.max(...delaysUs),
    },
    probes: {
      sent: requests.length,
      lost,
      lost_forward: lost,
      lost_reverse: 0,
      unanswered: 0,
      stamp_n: ofKind('stamp').length,
      stamp_sum_us: sum(ofKind('stamp').map(({ networkUs }) => networkUs)),
      stamp_lag_sum_us: sum(ofKind('stamp').map(({ lagUs }) => lagUs)),
      icmp_n: ofKind('icmp').length,
      icmp_sum_us: sum(ofKind('icmp').map(({ networkUs }) => networkUs)),
      icmp_lag_sum_us: sum(ofKind('icmp').map(({ lagUs }) => lagUs)),
    },
  };
}

function isAnswered({ fate }: Probe): boolean {
  return fate === 'received' || fate === 'void_received';
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function chainOf(pop: string, probes: readonly Probe[], windows: number): EmulatedSummary[] {
  const own = probes.filter(({ from }) => from === pop);
  const documents = Array.from({ length: windows }, (_, index) => {
    const startS = START_S + index * WINDOW_S;
    const inWindow = own.filter(({ dueMs }) => Math.floor(dueMs / 1000 / WINDOW_S) === index);
    const summary = buildSummary({
      pop,
      sequence: 7 + index,
      window: { start: new Date(startS * 1000).toISOString(), start_unix_s: startS, length_s: WINDOW_S },
      peers: POPS.filter((peer) => peer !== pop).map((peer) => peerOf(peer, index * WINDOW_S, inWindow)),
    });
    return { kind: 'summary' as const, ...summary, digest: '', kid: `key of ${pop}` };
  });
  return rechained(documents);
}

function peerOf(peer: string, startS: number, probes: readonly Probe[]): SummaryPeer {
  const letters = Array.from({ length: WINDOW_S }, (_, index) => {
    const second = probes.filter(({ dueMs }) => Math.floor(dueMs / 1000) === startS + index);
    const lost = second.filter(({ fate }) => fate === 'lost').length;
    const received = second.filter(({ fate }) => fate === 'received').length;
    if (lost + received === 0) return 'u';
    return lost > received ? 'b' : 'g';
  });
  const paths = [
    ['stamp', 0],
    ['stamp', 1],
    ['icmp', 0],
  ] as const;
  return {
    peer,
    seconds: letters.join(''),
    classes: [],
    paths: paths.map(([kind, flow]) =>
      pathOf(
        kind,
        flow,
        probes.filter((probe) => probe.kind === kind && probe.flow === flow),
      ),
    ),
    reflected: [],
  };
}

function pathOf(kind: 'stamp' | 'icmp', flow: number, probes: readonly Probe[]): SummaryPath {
  const number = (...fates: Fate[]): number => probes.filter(({ fate }) => fates.includes(fate)).length;
  const counts = buildCounts({
    received: number('received'),
    lost: number('lost'),
    void: number('void_received', 'void_lost'),
    refused: number('refused'),
    missed: number('missed'),
  });
  const received = probes.filter(({ fate }) => fate === 'received');
  const sumNs = sum(received.map(({ networkUs, hostUs }) => (networkUs + hostUs) * 1000));
  const path = buildPath({ kind, flow, counts, class: kind });
  return {
    ...path,
    refused_by_errno: counts.refused > 0 ? [[ENOBUFS, counts.refused]] : [],
    rtt: path.rtt && { ...path.rtt, sum_ns: sumNs },
  };
}
