/** PDV of one window: how far delays rise above the window's smallest (RFC 5481 section 4.2). */

import { percentileOfSorted, valueAt } from './percentile.ts';

/** Percentiles of `PDV(i) = D(i) - D_min`, whole ns. The least PDV is 0 by definition, the mean is mean - minimum delay. */
export interface PdvFigures {
  p95Ns: number;
  /** The single number for an SLA: D(99.9 %) - D_min over a short window (RFC 5481 sections 6.5 and 11). */
  p999Ns: number;
}

/**
 * The figures of the first `n` delays, or null when there are none. Subtracting one constant keeps the order, so the
 * percentile of the differences is the difference of the percentile.
 *
 * @param sortedNs delays of the received probes in ascending order, as `delayFigures` leaves them.
 * @throws RangeError when `sortedNs` holds fewer than `n` values.
 */
export function pdvFigures(sortedNs: Float64Array, n: number): PdvFigures | null {
  if (n === 0) return null;
  const minNs = valueAt(sortedNs, 0);
  return {
    p95Ns: percentileOfSorted(sortedNs, n, 0.95) - minNs,
    p999Ns: percentileOfSorted(sortedNs, n, 0.999) - minNs,
  };
}
