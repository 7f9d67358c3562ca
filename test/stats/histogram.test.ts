/** The histogram `log2/6`: bucket boundaries, stated error, merging, refusal of foreign buckets. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bucketMidpointNs,
  bucketOf,
  HISTOGRAM_BUCKETS,
  HISTOGRAM_RELATIVE_ERROR,
  LogHistogram,
} from '../../src/stats/histogram.ts';
import { percentileOfSorted } from '../../src/stats/percentile.ts';

const VALUE_MAX = 2 ** 44 - 1;

/** Delays of every magnitude alike, not mostly huge ones as a plain integer range would give. */
const delay = fc
  .tuple(fc.integer({ min: 0, max: 43 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))
  .map(([exponent, fraction]) => Math.floor(2 ** exponent * (1 + fraction)));
const sample = fc.array(delay, { minLength: 1, maxLength: 300 });

function histogramOf(values: readonly number[]): LogHistogram {
  const histogram = new LogHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe('bucketOf', () => {
  test.each([
    { value: -5, bucket: 0 },
    { value: 0, bucket: 0 },
    { value: 1, bucket: 1 },
    { value: 63, bucket: 63 },
    { value: 64, bucket: 64 },
    { value: 127, bucket: 127 },
    { value: 128, bucket: 128 },
    { value: 129, bucket: 128 },
    { value: 130, bucket: 129 },
    { value: 255, bucket: 191 },
    { value: 256, bucket: 192 },
    // 1 ms: 2^19 <= 1e6, shift 13, 13 * 64 + floor(1e6 / 8192) = 832 + 122.
    { value: 1_000_000, bucket: 954 },
    { value: 2 ** 32 - 1, bucket: 1727 },
    { value: 2 ** 32, bucket: 1728 },
    { value: 2 ** 43, bucket: 2432 },
    { value: VALUE_MAX, bucket: 2495 },
    { value: VALUE_MAX + 1, bucket: 2495 },
    { value: Number.POSITIVE_INFINITY, bucket: 2495 },
  ])('of $value ns is $bucket', ({ value, bucket }) => {
    expect(bucketOf(value)).toBe(bucket);
  });

  test('agrees with the formula in exact integers', () => {
    fc.assert(
      fc.property(delay, (value) => {
        const exponent = BigInt(value).toString(2).length - 1;
        const shift = BigInt(Math.max(0, exponent - 6));
        expect(bucketOf(value)).toBe(Number(shift * 64n + (BigInt(value) >> shift)));
      }),
    );
  });

  test('ascends by exactly one where a bucket ends, over the whole range', () => {
    for (let bucket = 1; bucket < HISTOGRAM_BUCKETS; bucket += 1) {
      const first = lowestOf(bucket);
      expect(bucketOf(first)).toBe(bucket);
      expect(bucketOf(first - 1)).toBe(bucket - 1);
    }
  });

  test('refuses NaN', () => {
    expect(() => bucketOf(Number.NaN)).toThrow(RangeError);
  });
});

describe('bucketMidpointNs', () => {
  test('lies within its own bucket, for every bucket', () => {
    for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket += 1) {
      expect(bucketOf(bucketMidpointNs(bucket))).toBe(bucket);
    }
  });

  test('is within the stated error of both ends of every bucket', () => {
    for (let bucket = 1; bucket < HISTOGRAM_BUCKETS; bucket += 1) {
      const midpoint = bucketMidpointNs(bucket);
      const first = lowestOf(bucket);
      const last = lowestOf(bucket + 1) - 1;
      expect(Math.abs(midpoint - first) / first).toBeLessThanOrEqual(HISTOGRAM_RELATIVE_ERROR);
      expect(Math.abs(midpoint - last) / last).toBeLessThanOrEqual(HISTOGRAM_RELATIVE_ERROR);
    }
  });
});

describe('LogHistogram', () => {
  test('answers null for a percentile of nothing', () => {
    expect(new LogHistogram().percentileNs(0.5)).toBeNull();
  });

  test('counts below 64 ns exactly', () => {
    expect(histogramOf([3, 1, 63, 3, 0, -7]).pairs()).toEqual([
      [0, 2],
      [1, 1],
      [3, 2],
      [63, 1],
    ]);
  });

  test('finds percentiles within the stated error of exact sorting', () => {
    fc.assert(
      fc.property(sample, fc.constantFrom(0.001, 0.25, 0.5, 0.95, 0.99, 0.999, 1), (values, p) => {
        const exact = percentileOfSorted(Float64Array.from(values).sort(), values.length, p);
        const found = histogramOf(values).percentileNs(p) ?? Number.NaN;
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(HISTOGRAM_RELATIVE_ERROR * exact);
      }),
    );
  });

  test('merges to the histogram of all samples, in any order and grouping', () => {
    fc.assert(
      fc.property(sample, sample, sample, (a, b, c) => {
        const all = histogramOf([...a, ...b, ...c]);

        const forwards = histogramOf(a);
        forwards.addPairs(histogramOf(b).pairs());
        forwards.addPairs(histogramOf(c).pairs());

        const grouped = histogramOf(c);
        grouped.addPairs(histogramOf(b).pairs());
        const backwards = new LogHistogram();
        backwards.addPairs(grouped.pairs());
        backwards.addPairs(histogramOf(a).pairs());

        expect(forwards.pairs()).toEqual(all.pairs());
        expect(backwards.pairs()).toEqual(all.pairs());
        expect(forwards.count).toBe(a.length + b.length + c.length);
      }),
    );
  });

  test('lists its pairs ascending, without empty buckets, adding up to its count', () => {
    fc.assert(
      fc.property(sample, (values) => {
        const histogram = histogramOf(values);
        const pairs = histogram.pairs();
        const indices = pairs.map(([index]) => index);
        expect(indices).toEqual([...new Set(indices)].sort((x, y) => x - y));
        expect(pairs.every(([, count]) => count > 0)).toBe(true);
        expect(pairs.reduce((sum, [, count]) => sum + count, 0)).toBe(histogram.count);
      }),
    );
  });

  test.each([
    { pair: [HISTOGRAM_BUCKETS, 1] },
    { pair: [-1, 1] },
    { pair: [1.5, 1] },
    { pair: [3, 0] },
    { pair: [3, -1] },
    { pair: [3, 0.5] },
    { pair: [Number.NaN, 1] },
  ] as { pair: [number, number] }[])('refuses the foreign pair $pair and counts nothing beside it', ({ pair }) => {
    const histogram = histogramOf([5]);
    expect(() => histogram.addPairs([[7, 2], pair])).toThrow(expect.objectContaining({ code: 'schema' }));
    expect(histogram.pairs()).toEqual([[5, 1]]);
    expect(histogram.count).toBe(1);
  });
});

/** The smallest value of a bucket by the scheme's definition: 64 + s sub-bucket widths of 2^(e - 6). */
function lowestOf(bucket: number): number {
  if (bucket < 64) return bucket;
  return Number(BigInt(64 + (bucket % 64)) << BigInt(Math.floor(bucket / 64) - 1));
}
