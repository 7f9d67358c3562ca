/** How many probes can be on their way across the edge of a window: due in one, and in the network in the next. */

import type { StoredFigures, StoredSummary } from './stored-documents.ts';

/**
 * From when a probe falls due until the emulator has read it: the agent's tick, and how late its thread and the emulator's
 * are on a busy machine. A path that is slower than this has one probe there at most, since later than half an interval
 * beyond the tick it would be missed.
 */
export const EDGE_MS = 60;

/** A Poisson number exceeds its mean by this many standard deviations less than once in a million windows. */
const POISSON_DEVIATIONS = 5;

/** The most probes of these paths that can be on their way across an edge. */
export function edgeProbes(
  paths: readonly Pick<StoredFigures, 'interval_ms'>[],
  schedule: StoredSummary['parameters']['schedule'],
): number {
  const periodic = paths.reduce((sum, { interval_ms }) => sum + Math.ceil(EDGE_MS / interval_ms), 0);
  return schedule === 'periodic' ? periodic : Math.ceil(periodic + POISSON_DEVIATIONS * Math.sqrt(periodic));
}
