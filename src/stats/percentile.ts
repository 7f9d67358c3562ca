/** Percentiles by RFC 2330 section 11.3: the smallest x with F(x) >= p, never an interpolation. */

/** `p` is read to this resolution, so that 0.95 means 95/100 and not the double nearest to it. */
const PARTS = 1_000_000;

/**
 * The 1-based rank `ceil(p * n)` of the p-percentile among `n` samples.
 *
 * In doubles `0.07 * 100` is 7.000000000000001 and its ceiling 8, one sample too far. So `p` is taken as a whole number
 * of millionths and multiplied in integers; `n` is split first, which keeps every product exact for any safe integer.
 *
 * @throws RangeError when `n` is not a positive integer or `p` is not in [0.000001, 1].
 */
export function percentileRank(p: number, n: number): number {
  const parts = Math.round(p * PARTS);
  if (!(parts >= 1 && parts <= PARTS)) throw new RangeError(`percentile of 0.000001 to 1 expected, found ${p}`);
  if (!(Number.isSafeInteger(n) && n >= 1)) throw new RangeError(`at least one sample expected, found ${n}`);
  const rest = n % PARTS;
  const whole = (n - rest) / PARTS;
  return parts * whole + Math.ceil((parts * rest) / PARTS);
}

/**
 * The p-percentile of the first `n` values of `sorted`, which are in ascending order.
 *
 * @param p a share, 0.95 for the 95th percentile, read to a millionth.
 * @throws RangeError when `n` is 0 or more than `sorted` holds, or `p` is out of range.
 */
export function percentileOfSorted(sorted: Float64Array, n: number, p: number): number {
  return valueAt(sorted, percentileRank(p, n) - 1);
}

/**
 * The median of the first `n` values of `sorted`, which are in ascending order: for even `n` the mean of the two
 * central values (RFC 2330 section 11.3, RFC 7679 section 5.2), where the 50th percentile is the lower of the two.
 *
 * @throws RangeError when `n` is 0 or more than `sorted` holds.
 */
export function medianOfSorted(sorted: Float64Array, n: number): number {
  const upper = valueAt(sorted, Math.floor(n / 2));
  return n % 2 === 1 ? upper : (valueAt(sorted, n / 2 - 1) + upper) / 2;
}

/**
 * The value at `index`, or a RangeError where a typed array would quietly answer undefined.
 *
 * @throws RangeError when the array has no such index.
 */
export function valueAt(values: Float64Array, index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`index below ${values.length} expected, found ${index}`);
  return value;
}
