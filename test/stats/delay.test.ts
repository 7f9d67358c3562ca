/** Delay figures against hand-made tables and against a plain implementation in exact integers. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { delayFigures } from '../../src/stats/delay.ts';

const delays = fc.array(fc.integer({ min: -10_000_000_000, max: 10_000_000_000 }), { minLength: 1, maxLength: 400 });

function figuresOf(values: readonly number[]) {
  return delayFigures(Float64Array.from(values), values.length);
}

describe('delayFigures', () => {
  test('are null without a delay', () => {
    expect(delayFigures(Float64Array.of(1, 2), 0)).toBeNull();
  });

  test('of a sample worked out by hand', () => {
    // Mean 5, squares of differences 9 1 1 1 0 0 4 16 = 32, over 8 samples: variance 4.
    expect(figuresOf([9, 4, 2, 5, 4, 7, 4, 5])).toEqual({
      n: 8,
      sumNs: 40,
      minNs: 2,
      meanNs: 5,
      maxNs: 9,
      stddevNs: 2,
      p50Ns: 5,
      p95Ns: 9,
      p99Ns: 9,
      p999Ns: 9,
    });
  });

  test('of 1 to 1000 have the ranks 950, 990 and 999', () => {
    const figures = figuresOf(Array.from({ length: 1000 }, (_, index) => 1000 - index));
    expect(figures).toMatchObject({ p50Ns: 501, p95Ns: 950, p99Ns: 990, p999Ns: 999, stddevNs: 289 });
  });

  test('of identical samples deviate by 0, never NaN', () => {
    const delay = fc.integer({ min: -10_000_000_000, max: 10_000_000_000 });
    fc.assert(
      fc.property(delay, fc.integer({ min: 1, max: 2000 }), (value, n) => {
        const figures = delayFigures(new Float64Array(n).fill(value), n);
        expect(figures).toMatchObject({ minNs: value, meanNs: value, maxNs: value, p50Ns: value, stddevNs: 0 });
      }),
    );
  });

  test('keep the spread of a few nanoseconds on top of ten seconds', () => {
    const base = 10_000_000_000;
    expect(figuresOf([base - 4, base + 4, base - 4, base + 4])?.stddevNs).toBe(4);
  });

  test('agree with exact integer arithmetic', () => {
    fc.assert(
      fc.property(delays, (values) => {
        const figures = figuresOf(values);
        const exact = exactFigures(values);
        expect(figures).toMatchObject(exact.figures);
        // The root is exact to 1e-6 ns here; 0.5 is the rounding to whole ns.
        expect(Math.abs((figures?.stddevNs ?? Number.NaN) - exact.stddevNs)).toBeLessThanOrEqual(0.501);
      }),
    );
  });

  test('are whole numbers without a negative zero', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1 }), (values) => {
        for (const figure of Object.values(figuresOf(values) ?? {})) {
          expect(Number.isSafeInteger(figure)).toBe(true);
          expect(figure).not.toBe(-0);
        }
      }),
    );
  });

  test('look at the first n delays, sort those in place and leave the rest alone', () => {
    const buffer = Float64Array.of(3, 1, 2, 0);
    expect(delayFigures(buffer, 3)).toMatchObject({ n: 3, minNs: 1, maxNs: 3 });
    expect([...buffer]).toEqual([1, 2, 3, 0]);
  });

  test('refuse NaN and more delays than the array holds', () => {
    expect(() => figuresOf([1, Number.NaN, 2])).toThrow(RangeError);
    expect(() => delayFigures(Float64Array.of(1, 2), 3)).toThrow(RangeError);
  });
});

/** The same figures without one floating operation but the last division of the deviation. */
function exactFigures(values: readonly number[]) {
  const sorted = values.map(BigInt).sort((a, b) => (a < b ? -1 : Number(a > b)));
  const n = BigInt(sorted.length);
  const sum = sorted.reduce((total, value) => total + value, 0n);
  const squares = sorted.reduce((total, value) => total + value * value, 0n);
  const rank = (thousandths: bigint) => Number(sorted[Number((thousandths * n + 999n) / 1000n) - 1]);
  const central = (sorted[Math.floor((values.length - 1) / 2)] ?? 0n) + (sorted[Math.floor(values.length / 2)] ?? 0n);
  return {
    figures: {
      n: values.length,
      sumNs: Number(sum),
      minNs: Number(sorted[0]),
      meanNs: Number(floorDivide(2n * sum + n, 2n * n)),
      maxNs: Number(sorted.at(-1)),
      p50Ns: Number(floorDivide(central + 1n, 2n)),
      p95Ns: rank(950n),
      p99Ns: rank(990n),
      p999Ns: rank(999n),
    },
    // n * stddev is the root of n * sum of squares - square of the sum; 10^12 under the root keeps six decimals.
    stddevNs: Number(squareRoot((n * squares - sum * sum) * 10n ** 12n)) / 1e6 / values.length,
  };
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a / b - (a % b < 0n ? 1n : 0n);
}

/** Newton's iteration from above, to the floor of the root. */
function squareRoot(value: bigint): bigint {
  let root = value + 1n;
  let next = (root + 1n) / 2n;
  while (next < root) {
    root = next;
    next = (root + value / root) / 2n;
  }
  return root > value ? value : root;
}
