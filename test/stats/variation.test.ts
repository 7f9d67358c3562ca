/** IPDV: pairs of consecutive probes, holes, figures. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { variationFigures } from '../../src/stats/variation.ts';

const HOLE = Number.NaN;
const delayOrHole = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 10_000_000_000 }) },
  { weight: 1, arbitrary: fc.constant(HOLE) },
);

function figuresOf(delays: readonly number[]) {
  return variationFigures(Float64Array.from(delays), delays.length);
}

describe('variationFigures', () => {
  test.each([
    { name: 'no probe', delays: [] },
    { name: 'one probe', delays: [5] },
    { name: 'all lost', delays: [HOLE, HOLE] },
    { name: 'no two consecutive ones', delays: [5, HOLE, 7, HOLE, 9] },
  ])('are null for $name', ({ delays }) => {
    expect(figuresOf(delays)).toBeNull();
  });

  test('are D(i) - D(i-1) of each pair, signed in the range, absolute in mean and percentile', () => {
    // Differences 20, -50, 5: absolute mean 25.
    expect(figuresOf([100, 120, 70, 75])).toEqual({ n: 3, meanAbsNs: 25, p95AbsNs: 50, minNs: -50, maxNs: 20 });
  });

  test('do not bridge a hole', () => {
    // Only 10 -> 12 and 1000 -> 1001 are consecutive; 12 -> 1000 is two intervals apart.
    expect(figuresOf([10, 12, HOLE, 1000, 1001])).toEqual({ n: 2, meanAbsNs: 2, p95AbsNs: 2, minNs: 1, maxNs: 2 });
  });

  test('of a constant delay are 0', () => {
    expect(figuresOf([7, 7, 7])).toEqual({ n: 2, meanAbsNs: 0, p95AbsNs: 0, minNs: 0, maxNs: 0 });
  });

  test('agree with a plain list of differences', () => {
    fc.assert(
      fc.property(fc.array(delayOrHole, { maxLength: 200 }), (delays) => {
        const differences = delays
          .slice(1)
          .map((delay, index) => delay - (delays[index] ?? HOLE))
          .filter((difference) => !Number.isNaN(difference));
        const absolute = differences.map(Math.abs).sort((a, b) => a - b);
        const n = differences.length;
        const plain = {
          n,
          meanAbsNs: Math.round(absolute.reduce((sum, difference) => sum + difference, 0) / n),
          p95AbsNs: absolute[Math.ceil((95 * n) / 100) - 1],
          minNs: Math.min(...differences),
          maxNs: Math.max(...differences),
        };
        expect(figuresOf(delays)).toEqual(n === 0 ? null : plain);
      }),
    );
  });

  test('look at the first n delays only and leave them as they are', () => {
    const delays = Float64Array.of(3, 1, 2, 500);
    expect(variationFigures(delays, 3)).toMatchObject({ n: 2, minNs: -2, maxNs: 1 });
    expect([...delays]).toEqual([3, 1, 2, 500]);
  });

  test('do not depend on what a reused scratch holds', () => {
    const delays = Float64Array.of(3, 1, 2);
    const scratch = new Float64Array(8).fill(1e12);
    expect(variationFigures(delays, 3, scratch)).toEqual(variationFigures(delays, 3));
  });

  test('refuse a scratch that is too small, and more delays than the array holds', () => {
    expect(() => variationFigures(Float64Array.of(1, 2, 3), 3, new Float64Array(2))).toThrow(RangeError);
    expect(() => variationFigures(Float64Array.of(1, 2), 3)).toThrow(RangeError);
  });
});
