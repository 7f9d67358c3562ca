/** How often the probing thread of an agent wakes when its file does not say. */

import { LIMITS } from '../base/limits.ts';

/** Shortest interval of a path over the tick: a probe leaves no later than this part of its interval after it fell due. */
const TICKS_PER_INTERVAL = 4;

/**
 * A quarter of the shortest interval, so that waking up takes no more CPU time than the pace of the probes asks for; whole ms,
 * within limits.
 *
 * @param intervalsMs of the probe classes, at least one
 */
export function defaultTickMs(intervalsMs: readonly number[]): number {
  const wanted = Math.floor(Math.min(...intervalsMs) / TICKS_PER_INTERVAL);
  return Math.min(LIMITS.tickMsMax, Math.max(LIMITS.tickMsDefaultMin, wanted));
}
