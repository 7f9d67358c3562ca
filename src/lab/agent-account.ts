/** What the agent of one PoP says of one peer, over all its documents. */

import { NS_PER_US } from '../base/units.ts';
import { addCounts, emptyCounts, type OutcomeCounts } from '../stats/outcomes.ts';
import type { SecondLetter } from '../stats/seconds.ts';
import type { StoredFigures, StoredSummary } from './stored-documents.ts';
import { edgeProbes } from './window-edge.ts';

export type ProbeKind = StoredFigures['kind'];

/** The paths of one kind as one. */
export interface KindAccount {
  readonly counts: OutcomeCounts;
  /** Received probes whose delay could be measured, and the sum of these delays, µs. */
  readonly samples: number;
  readonly sumUs: number;
}

export interface AgentAccount {
  readonly counts: OutcomeCounts;
  readonly kinds: Readonly<Record<ProbeKind, KindAccount>>;
  /** Refused probes by errno of the kernel, ascending. */
  readonly refusedByErrno: readonly (readonly [number, number])[];
  /** In the order of time. */
  readonly windows: readonly AgentWindow[];
  /** Every second of the windows. */
  readonly seconds: ReadonlyMap<number, SecondLetter>;
}

export interface AgentWindow {
  /** RFC 3339, for people. */
  readonly start: string;
  readonly startS: number;
  readonly lengthS: number;
  readonly counts: OutcomeCounts;
  /** Probes that can be on their way across one of its edges. */
  readonly edge: number;
}

/** @param documents of one PoP, in the order of their windows. */
export function agentAccount(documents: readonly StoredSummary[], to: string): AgentAccount {
  const counts = emptyCounts();
  const kinds = { stamp: emptyKind(), icmp: emptyKind() };
  const refusedByErrno = new Map<number, number>();
  const windows: AgentWindow[] = [];
  const seconds = new Map<number, SecondLetter>();
  for (const { peers, window, parameters } of documents) {
    const about = peers.find(({ peer }) => peer === to);
    if (!about) continue;
    const ofWindow = emptyCounts();
    for (const path of about.paths) {
      addCounts(ofWindow, path.counts);
      addPath(kinds[path.kind], path);
      for (const [errno, probes] of path.refused_by_errno)
        refusedByErrno.set(errno, (refusedByErrno.get(errno) ?? 0) + probes);
    }
    addCounts(counts, ofWindow);
    for (let index = 0; index < window.length_s; index += 1)
      seconds.set(window.start_unix_s + index, about.seconds[index] as SecondLetter);
    windows.push({
      start: window.start,
      startS: window.start_unix_s,
      lengthS: window.length_s,
      counts: ofWindow,
      edge: edgeProbes(about.paths, parameters.schedule),
    });
  }
  return { counts, kinds, refusedByErrno: [...refusedByErrno].sort(([a], [b]) => a - b), windows, seconds };
}

/** Probes that left the agent for the network: those refused and missed never did. */
export function sentOf({ received, lost, void: voided }: OutcomeCounts): number {
  return received + lost + voided;
}

interface GrowingKind extends KindAccount {
  samples: number;
  sumUs: number;
}

function emptyKind(): GrowingKind {
  return { counts: emptyCounts(), samples: 0, sumUs: 0 };
}

function addPath(kind: GrowingKind, { counts, rtt }: StoredFigures): void {
  addCounts(kind.counts, counts);
  kind.samples += rtt?.n ?? 0;
  kind.sumUs += (rtt?.sum_ns ?? 0) / NS_PER_US;
}
