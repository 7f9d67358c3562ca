/** The mergeable delay histogram `log2/6`: integer log-linear buckets with a stated relative error. */

import { PopprobeError } from '../base/errors.ts';
import { percentileRank } from './percentile.ts';

/** Names the bucket boundaries in signed evidence: powers of two, each cut into 2^6 equal sub-buckets. */
export const HISTOGRAM_SCHEME = 'log2/6';

/** A bucket's midpoint is at most this far from every value in the bucket, relative to the value: 2^-7. */
export const HISTOGRAM_RELATIVE_ERROR = 0.0078125;

/** Sub-buckets per power of two. */
const SUB_BUCKETS = 64;
/** log2(SUB_BUCKETS): below this power of two every value has a bucket of its own. */
const SUB_BITS = 6;
/** Values have at most this many bits: 2^44 ns are 4.9 hours, far beyond any Tmax. Longer ones share the last bucket. */
const VALUE_BITS = 44;
const VALUE_MAX = 2 ** VALUE_BITS - 1;

/** 2^0 to 2^43. */
const POWERS_OF_TWO = Float64Array.from({ length: VALUE_BITS }, (_, exponent) => 2 ** exponent);

/** Buckets 0 to 2495. */
export const HISTOGRAM_BUCKETS = (VALUE_BITS - SUB_BITS + 1) * SUB_BUCKETS;

/**
 * The bucket of a delay. Below 64 ns the value itself; above, with `e = floor(log2 value)`,
 * `(e - 6) * 64 + floor(value / 2^(e - 6))`, so that bucket numbers are consecutive and ascend with the value.
 *
 * @param valueNs nanoseconds, a fraction is cut off; what is negative counts as 0, what is longer than 2^44 - 1 as that.
 * @throws RangeError when the value is NaN.
 */
export function bucketOf(valueNs: number): number {
  if (Number.isNaN(valueNs)) throw new RangeError('a delay expected, found NaN');
  if (valueNs < SUB_BUCKETS) return Math.max(0, Math.trunc(valueNs));
  const value = Math.min(valueNs, VALUE_MAX);
  const shift = floorLog2(value) - SUB_BITS;
  // Dividing by a power of two only changes a double's exponent: exact, where a logarithm would be off at the edges.
  return shift * SUB_BUCKETS + Math.floor(value / (POWERS_OF_TWO[shift] ?? 1));
}

/** The representative of a bucket, ns: the middle of its range, a whole number. */
export function bucketMidpointNs(index: number): number {
  if (index < SUB_BUCKETS) return index;
  const shift = Math.floor(index / SUB_BUCKETS) - 1;
  const width = 2 ** shift;
  return (index - shift * SUB_BUCKETS) * width + Math.floor(width / 2);
}

/** Position of the highest bit of a number of 1 to 53 bits, from its two halves of 32 bits. */
function floorLog2(value: number): number {
  const high = Math.floor(value / 2 ** 32);
  return high > 0 ? 63 - Math.clz32(high) : 31 - Math.clz32(value);
}

/**
 * Counts of delays by bucket. Adding the pairs of one histogram to another gives exactly the histogram of all samples
 * together, in any order and grouping, so windows merge into hours and months without losing anything more.
 */
export class LogHistogram {
  readonly #counts = new Float64Array(HISTOGRAM_BUCKETS);
  #count = 0;

  /** Samples counted so far. */
  get count(): number {
    return this.#count;
  }

  /** Counts one delay, ns. @throws RangeError when it is NaN. */
  add(valueNs: number): void {
    this.#addToBucket(bucketOf(valueNs), 1);
  }

  /**
   * Merges sparse pairs of bucket number and count, as they stand in a summary. They come from another host: all are
   * checked before the first is counted, so a refused document leaves nothing behind.
   *
   * @throws PopprobeError `schema` when a bucket does not exist or a count is not a positive whole number.
   */
  addPairs(pairs: Iterable<readonly [number, number]>): void {
    const checked = [...pairs];
    for (const [index, count] of checked) checkPair(index, count);
    for (const [index, count] of checked) this.#addToBucket(index, count);
  }

  /** Forgets all samples, so that one histogram serves many paths. */
  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
  }

  /** Sparse pairs of bucket number and count, ascending by bucket, empty buckets left out. */
  pairs(): [number, number][] {
    const pairs: [number, number][] = [];
    // By index: entries() would make an array for each of the buckets, nearly all of them empty.
    for (let index = 0; index < HISTOGRAM_BUCKETS; index += 1) {
      const count = this.#counts[index] ?? 0;
      if (count > 0) pairs.push([index, count]);
    }
    return pairs;
  }

  /**
   * The p-percentile, ns, within HISTOGRAM_RELATIVE_ERROR of the one that sorting all samples would give; null without
   * samples.
   *
   * @throws RangeError when `p` is not in [0.000001, 1].
   */
  percentileNs(p: number): number | null {
    if (this.#count === 0) return null;
    const rank = percentileRank(p, this.#count);
    let seen = 0;
    let index = 0;
    for (const count of this.#counts) {
      seen += count;
      if (seen >= rank) break;
      index += 1;
    }
    return bucketMidpointNs(index);
  }

  #addToBucket(index: number, count: number): void {
    this.#counts[index] = (this.#counts[index] ?? 0) + count;
    this.#count += count;
  }
}

function checkPair(index: number, count: number): void {
  const valid = Number.isInteger(index) && index >= 0 && index < HISTOGRAM_BUCKETS;
  if (valid && Number.isSafeInteger(count) && count > 0) return;
  throw new PopprobeError('schema', {
    expected: `histogram pairs of a bucket from 0 to ${HISTOGRAM_BUCKETS - 1} and a positive count`,
    found: `[${index}, ${count}]`,
    remedy: `build the histogram by the scheme ${HISTOGRAM_SCHEME} of docs/statistics.md`,
  });
}
