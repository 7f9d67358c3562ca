/** What no schema can say: where a summary document contradicts itself, or could be read in two ways. */

import { addCounts, emptyCounts, type OutcomeCounts } from '../stats/outcomes.ts';
import type { Summary, SummaryPeer } from './summary.ts';

/** Says what is wrong, and where; null when nothing is. */
export function contradictionIn(summary: Summary): string | null {
  return outcomeMismatch(summary) ?? clockMismatch(summary) ?? ambiguity(summary);
}

/** Says which path breaks `due = received + lost + refused + missed + void`, or null when none does. */
function outcomeMismatch(summary: Summary): string | null {
  for (const peer of summary.peers) {
    for (const path of peer.paths) {
      const c = path.counts;
      const sum = c.received + c.lost + c.refused + c.missed + c.void;
      if (c.due !== sum) return `${peer.peer}/${path.class}/${path.flow}: due ${c.due}, sum of outcomes ${sum}`;
      if (c.late + c.unreachable + c.corrupt > c.lost)
        return `${peer.peer}/${path.class}/${path.flow}: late, unreachable and corrupt exceed lost`;
    }
    const mismatch = classMismatch(peer);
    if (mismatch !== null) return mismatch;
  }
  return null;
}

/** The class rows are derived from the paths: a credit must not depend on which of the two somebody reads. */
function classMismatch({ peer, classes, paths }: SummaryPeer): string | null {
  const seen = new Set<string>();
  for (const row of classes) {
    if (seen.has(row.class)) return `${peer}/${row.class}: listed twice`;
    seen.add(row.class);
    const flows = paths.filter((path) => path.class === row.class);
    const sum = emptyCounts();
    for (const flow of flows) addCounts(sum, flow.counts);
    const isSum = Object.entries(sum).every(([name, value]) => row.counts[name as keyof OutcomeCounts] === value);
    if (row.flows !== flows.length || !isSum) return `${peer}/${row.class}: the class is not the sum of its flows`;
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
    const reflected = reflectedMismatch(peer);
    if (reflected !== null) return reflected;
  }
  return null;
}

/** The first path of the peer that has the identity of another one, or null. */
function repeatedPath(peer: SummaryPeer): string | null {
  const seen = new Set<string>();
  for (const path of peer.paths) {
    const identity = [path.class, path.kind, path.family, path.dscp, path.size_bytes, path.flow].join('/');
    if (seen.has(identity)) return identity;
    seen.add(identity);
  }
  return null;
}

/** The first session of the peer that is listed twice or has more replies than requests, or null. */
function reflectedMismatch({ peer, reflected }: SummaryPeer): string | null {
  const seen = new Set<string>();
  for (const session of reflected) {
    const identity = [session.class, session.family, session.flow].join('/');
    if (seen.has(identity)) return `${peer}/${identity}: reflected twice`;
    seen.add(identity);
    if (session.replied > session.received)
      return `${peer}/${identity}: ${session.replied} replies to ${session.received} requests`;
  }
  return null;
}
