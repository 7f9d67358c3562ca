/** The clock's state as STAMP puts it on the wire. */

import { NS_PER_S } from '../base/units.ts';
import type { ClockState } from '../linux/clock-state.ts';
import { encodeErrorEstimate, UNSYNCHRONISED_ESTIMATE } from '../wire/error-estimate.ts';

/**
 * The Error Estimate of RFC 8762 section 4.2.1. S = 1 takes both a source that says "synchronised" and a bound of the error
 * from it: a peer computes one-way delays from S = 1, and a bound we made up would be in its figures.
 */
export function errorEstimateOf({ synchronised, maxErrorNs }: ClockState): number {
  if (synchronised !== true || maxErrorNs === null) return UNSYNCHRONISED_ESTIMATE;
  return encodeErrorEstimate(maxErrorNs / NS_PER_S, true);
}
