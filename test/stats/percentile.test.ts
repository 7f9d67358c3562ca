/** Percentiles: RFC 2330's definition, exact ranks, the median. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { medianOfSorted, percentileOfSorted, percentileRank } from '../../src/stats/percentile.ts';

describe('percentileRank', () => {
  test.each([
    { p: 0.95, n: 20, rank: 19 },
    { p: 0.95, n: 21, rank: 20 },
    { p: 0.95, n: 1, rank: 1 },
    { p: 0.99, n: 100, rank: 99 },
    { p: 0.999, n: 1000, rank: 999 },
    { p: 0.999, n: 999, rank: 999 },
    { p: 1, n: 7, rank: 7 },
    // In doubles p * n lies above these whole numbers: 7.000000000000001, 11.000000000000002, 57.00000000000001.
    { p: 0.07, n: 100, rank: 7 },
    { p: 0.55, n: 20, rank: 11 },
    { p: 0.57, n: 100, rank: 57 },
  ])('of p = $p among $n samples is $rank', ({ p, n, rank }) => {
    expect(percentileRank(p, n)).toBe(rank);
  });

  test('is the ceiling of the exact product, for any sample count', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 2 ** 50 }), (thousandths, n) => {
        const exact = (BigInt(thousandths) * BigInt(n) + 999n) / 1000n;
        expect(BigInt(percentileRank(thousandths / 1000, n))).toBe(exact);
      }),
    );
  });

  test.each([0, -0.5, 1.01, 95, Number.NaN])('refuses p = %s', (p) => {
    expect(() => percentileRank(p, 10)).toThrow(RangeError);
  });

  test.each([0, -1, 1.5, Number.NaN])('refuses %s samples', (n) => {
    expect(() => percentileRank(0.5, n)).toThrow(RangeError);
  });
});

describe('percentileOfSorted', () => {
  test.each([
    // The sample of RFC 2330 section 11.3, by its definition: F(-5) = 1/6 is the first to reach 15 %.
    { p: 0.15, x: -5 },
    { p: 0.25, x: -2 },
    { p: 0.5, x: 4 },
    { p: 0.51, x: 7 },
    { p: 0.8, x: 7 },
    { p: 0.84, x: 18 },
    { p: 1, x: 18 },
  ])('is $x for p = $p of {-5, -2, 4, 7, 7, 18}', ({ p, x }) => {
    expect(percentileOfSorted(Float64Array.of(-5, -2, 4, 7, 7, 18), 6, p)).toBe(x);
  });

  test('is the smallest sample x with F(x) >= p', () => {
    const samples = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 1000 }), (values, thousandths) => {
        const sorted = Float64Array.from(values).sort();
        const reached = (x: number) =>
          values.filter((value) => value <= x).length * 1000 >= thousandths * values.length;
        const smallest = Math.min(...values.filter(reached));
        expect(percentileOfSorted(sorted, sorted.length, thousandths / 1000)).toBe(smallest);
      }),
    );
  });

  test('looks at the first n values only', () => {
    expect(percentileOfSorted(Float64Array.of(1, 2, 3, 99, 99), 3, 1)).toBe(3);
  });

  test('refuses more samples than the array holds', () => {
    expect(() => percentileOfSorted(Float64Array.of(1, 2), 3, 1)).toThrow(RangeError);
  });
});

describe('medianOfSorted', () => {
  test.each([
    { values: [7], median: 7 },
    { values: [4, 7], median: 5.5 },
    { values: [-5, -2, 4, 7, 7, 18], median: 5.5 },
    { values: [1, 2, 900], median: 2 },
  ])('of $values is $median', ({ values, median }) => {
    expect(medianOfSorted(Float64Array.from(values), values.length)).toBe(median);
  });

  test('looks at the first n values only', () => {
    expect(medianOfSorted(Float64Array.of(1, 3, 99), 2)).toBe(2);
  });

  test('refuses an empty sample', () => {
    expect(() => medianOfSorted(new Float64Array(0), 0)).toThrow(RangeError);
  });
});
