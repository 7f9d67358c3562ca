/** From the state of the PoPs and their newest windows to the mesh as the NOC sees it: one entry per PoP and one per pair. Pure. */

import { MS_PER_S } from '../base/units.ts';
import type { SummaryCounts } from '../protocol/summary.ts';
import { LogHistogram } from '../stats/histogram.ts';
import { addCounts, emptyCounts, lossRatio } from '../stats/outcomes.ts';
import type { NewestWindow, StoredPath, StoredPeer, StoredPop } from './store/store.ts';
import { pairVerdict, type TwoEnded, twoEnded } from './two-ended.ts';

/** A PoP. All but its name is null, and `documents` 0, until it has sent something; `window_start` until a summary. */
interface MeshPop {
  pop: string;
  last_sequence: number | null;
  last_accepted_at: string | null;
  last_accepted_age_s: number | null;
  /**
   * End of the last document's time minus its arrival by the collector's clock. Below 0 by the delay of delivery; above 0
   * the PoP's clock is ahead, or the agent stopped within its window.
   */
  skew_ms: number | null;
  window_start: string | null;
  documents: number;
}

/** The round trip of one pair: net of the residence time for STAMP, raw for ICMP. */
interface MeshRtt {
  class: string;
  kind: 'icmp' | 'stamp';
  n: number;
  mean_ns: number;
  p95_ns: number | null;
}

interface MeshPath {
  class: string;
  kind: 'icmp' | 'stamp';
  family: 'ipv4' | 'ipv6';
  flow: number;
  counts: SummaryCounts;
  rtt_mean_ns: number | null;
  rtt_p95_ns: number | null;
  /** Beside what the sender says, what the reflector at the other end says; null for ICMP, which has none. */
  two_ended: TwoEnded | null;
}

/** What `from` measured towards `to` in the newest window of `from`. */
interface MeshPair {
  from: string;
  to: string;
  window_start: string;
  window_length_s: number;
  /** Over all paths. */
  counts: SummaryCounts;
  /** lost / (received + lost); null when nothing was measured. */
  loss_ratio: number | null;
  rtt: MeshRtt | null;
  seconds: string;
  /** Whether both ends of all STAMP paths tell the same; null without any. */
  two_ended: TwoEnded['verdict'] | null;
  paths: MeshPath[];
}

export interface Mesh {
  generated_at: string;
  pops: MeshPop[];
  pairs: MeshPair[];
}

/**
 * @param configured names of all PoPs of the mesh: those that never sent anything are listed as well.
 * @param nowMs ms since the Unix epoch.
 */
export function meshOf(configured: readonly string[], stored: readonly StoredPop[], nowMs: number): Mesh {
  const byPop = new Map(stored.map((state) => [state.pop, state]));
  const names = [...new Set([...configured, ...byPop.keys()])].toSorted();
  return {
    generated_at: isoTime(nowMs),
    pops: names.map((name) => meshPop(name, byPop.get(name), nowMs)),
    pairs: stored.flatMap(({ newest }) => newest?.peers.map((peer) => meshPair(newest, peer)) ?? []),
  };
}

function meshPop(pop: string, state: StoredPop | undefined, nowMs: number): MeshPop {
  if (state === undefined) {
    const never = { last_sequence: null, last_accepted_at: null, last_accepted_age_s: null, skew_ms: null };
    return { pop, ...never, window_start: null, documents: 0 };
  }
  return {
    pop,
    last_sequence: state.lastSequence,
    last_accepted_at: isoTime(state.lastAcceptedMs),
    last_accepted_age_s: Math.floor((nowMs - state.lastAcceptedMs) / MS_PER_S),
    skew_ms: state.skewMs,
    window_start: state.newest === null ? null : isoTime(state.newest.windowStartS * MS_PER_S),
    documents: state.documents,
  };
}

function meshPair(window: NewestWindow, stored: StoredPeer): MeshPair {
  const { peer, seconds, paths } = stored;
  const counts = sumCounts(paths);
  const meshPaths = paths.map((path) => meshPath(path, twoEnded(window, stored, path)));
  return {
    from: window.pop,
    to: peer,
    window_start: isoTime(window.windowStartS * MS_PER_S),
    window_length_s: window.windowLengthS,
    counts,
    loss_ratio: lossRatio(counts),
    rtt: pairRtt(paths),
    seconds,
    two_ended: pairVerdict(meshPaths.map((path) => path.two_ended)),
    paths: meshPaths,
  };
}

function meshPath(path: StoredPath, bothEnds: TwoEnded | null): MeshPath {
  const rtt = mergedRtt([path]);
  return {
    class: path.class,
    kind: path.kind,
    family: path.family,
    flow: path.flow,
    counts: path.counts,
    rtt_mean_ns: rtt?.mean_ns ?? null,
    rtt_p95_ns: rtt?.p95_ns ?? null,
    two_ended: bothEnds,
  };
}

function sumCounts(paths: readonly StoredPath[]): SummaryCounts {
  const sum = emptyCounts();
  for (const { counts } of paths) addCounts(sum, counts);
  return sum;
}

/**
 * Classes are never mixed, because they may have different DSCP and sizes: the pair shows one class over all its flows.
 * STAMP before ICMP, then the lowest DSCP, then the name; a class without samples is passed over.
 */
function pairRtt(paths: readonly StoredPath[]): MeshRtt | null {
  const measured = paths.filter((path) => path.rttN > 0);
  const [first] = measured.toSorted(byPreference);
  if (first === undefined) return null;
  return mergedRtt(measured.filter((path) => path.class === first.class && path.kind === first.kind));
}

function byPreference(a: StoredPath, b: StoredPath): number {
  if (a.kind !== b.kind) return a.kind === 'stamp' ? -1 : 1;
  return a.dscp - b.dscp || a.class.localeCompare(b.class, 'en');
}

/** The mean and the percentile over the samples of all given paths, which are of one class; null without samples. */
function mergedRtt(paths: readonly StoredPath[]): MeshRtt | null {
  const histogram = new LogHistogram();
  let n = 0;
  let sumNs = 0;
  for (const path of paths) {
    n += path.rttN;
    sumNs += path.rttSumNs;
    histogram.addPairs(path.histogram);
  }
  const [first] = paths;
  if (first === undefined || n === 0) return null;
  const { class: name, kind } = first;
  return { class: name, kind, n, mean_ns: Math.round(sumNs / n), p95_ns: histogram.percentileNs(0.95) };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
