/** IPDV of one window: how much the delay changes from one probe to the next (RFC 3393). */

import { percentileOfSorted } from './percentile.ts';

/**
 * Figures of `IPDV(i) = D(i) - D(i-1)` on round-trip delays, in whole ns. The mean of signed IPDV telescopes to almost
 * 0 and says nothing, so mean and 95th percentile are of |IPDV|; the range is signed (RFC 3432 section 4.2.4).
 */
export interface VariationFigures {
  /** Pairs of consecutive probes that both have a delay. */
  n: number;
  /** Rounded to the nearest ns. */
  meanAbsNs: number;
  p95AbsNs: number;
  minNs: number;
  maxNs: number;
}

/**
 * The figures over the first `n` delays, or null when no two consecutive probes have one.
 *
 * A probe without a delay is NaN and takes both of its pairs with it: lost ones because RFC 3393 section 2.4 leaves them
 * undefined, unsent ones because the pair around the hole would be two intervals apart, another metric.
 *
 * @param delaysNs one entry for every probe that fell due, in send order; not changed.
 * @param scratch room for at least `n` values, overwritten; hand one in to allocate nothing.
 * @throws RangeError when `delaysNs` or `scratch` holds fewer than `n` values.
 */
export function variationFigures(
  delaysNs: Float64Array,
  n: number,
  scratch: Float64Array = new Float64Array(n),
): VariationFigures | null {
  if (n > delaysNs.length || n > scratch.length) {
    throw new RangeError(`room for ${n} values expected, found ${Math.min(delaysNs.length, scratch.length)}`);
  }
  let pairs = 0;
  let sumAbsNs = 0;
  let minNs = Number.POSITIVE_INFINITY;
  let maxNs = Number.NEGATIVE_INFINITY;
  let previous = Number.NaN;
  for (const delay of delaysNs.subarray(0, n)) {
    const ipdv = delay - previous;
    previous = delay;
    if (Number.isNaN(ipdv)) continue;
    scratch[pairs] = Math.abs(ipdv);
    pairs += 1;
    sumAbsNs += Math.abs(ipdv);
    minNs = Math.min(minNs, ipdv);
    maxNs = Math.max(maxNs, ipdv);
  }
  if (pairs === 0) return null;
  const sorted = scratch.subarray(0, pairs).sort();
  return {
    n: pairs,
    meanAbsNs: Math.round(sumAbsNs / pairs),
    p95AbsNs: percentileOfSorted(sorted, pairs, 0.95),
    minNs,
    maxNs,
  };
}
