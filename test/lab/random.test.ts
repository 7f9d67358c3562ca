/** The generator against its authors' code, streams against one another, and draws against their distributions. */

import { describe, expect, test } from 'vitest';
import { mix32 } from '../../src/lab/mix32.ts';
import { normalOf, paretoOf, Random } from '../../src/lab/random.ts';
import { xoshiro128 } from '../../src/lab/xoshiro.ts';
import { expectMean, expectShare } from './chance.ts';

const DRAWS = 200_000;

function drawsOf(random: Random, count = DRAWS): number[] {
  return Array.from({ length: count }, () => random.next());
}

/** Kolmogorov-Smirnov: the largest distance of the samples' distribution from the one they should have. */
function distance(samples: number[], below: (value: number) => number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted.reduce((largest, value, at) => {
    const expected = below(value);
    return Math.max(largest, expected - at / sorted.length, (at + 1) / sorted.length - expected);
  }, 0);
}

describe('the generator', () => {
  test('gives what the C code of its authors gives for the state 1, 2, 3, 4', () => {
    const state = Int32Array.of(1, 2, 3, 4);
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ];
    expect(expected.map(() => xoshiro128(state))).toEqual(expected);
  });

  test('is seeded through the finalizer of MurmurHash3, whose hash of nothing is the finalized seed', () => {
    expect([0, 1, 0xffffffff].map(mix32)).toEqual([0, 0x514e28b7, 0x81f16f39]);
  });
});

describe('a stream', () => {
  test('is the same for the same names, and another for any other seed, direction or member', () => {
    const names = [
      [1, 0, 1, 0],
      [2, 0, 1, 0],
      [1, 1, 0, 0],
      [1, 0, 1, 1],
      [1, 0, 2, 0],
      [0, 0, 0, 0],
    ];
    const streams = names.map((of) => drawsOf(new Random(...of), 100).join());
    expect(new Set(streams).size).toBe(names.length);
    expect(names.map((of) => drawsOf(new Random(...of), 100).join())).toEqual(streams);
  });

  test('begins like no other one of 200,000: 32 bits of seed would make some five pairs of them alike', () => {
    const begins = new Set<string>();
    for (let name = 0; name < DRAWS; name += 1) {
      const random = new Random(1, name);
      begins.add(`${random.next()} ${random.next()}`);
    }
    expect(begins.size).toBe(DRAWS);
  });

  test('says nothing about the neighbouring one: their correlation is that of independent values', () => {
    const [one, other] = [drawsOf(new Random(7, 0, 1, 0)), drawsOf(new Random(7, 0, 1, 1))];
    const products = one.map((value, at) => 12 * (value - 0.5) * ((other[at] ?? 0) - 0.5));
    // The product of two independent values of mean 0 and deviation 1 has these too.
    expectMean(products, 0, 1);
  });

  test('is uniform in [0, 1)', () => {
    const draws = drawsOf(new Random(20261125));
    expect(draws.every((value) => value >= 0 && value < 1)).toBe(true);
    // Kolmogorov's limit: further than 1.95 / sqrt(n) once in a thousand seeds.
    expect(distance(draws, (value) => value)).toBeLessThan(1.95 / Math.sqrt(DRAWS));
  });

  test('fills an array with its next draws, in order', () => {
    const draws = new Float64Array(5);
    new Random(3).drawInto(draws);
    expect([...draws]).toEqual(drawsOf(new Random(3), 5));
  });
});

describe('a normal draw', () => {
  test('has the value of Box and Muller where it can be reckoned by hand', () => {
    const uniform = 1 - Math.exp(-0.5);
    expect(normalOf(uniform, 0)).toBeCloseTo(1, 12);
    expect(normalOf(uniform, 0.5)).toBeCloseTo(-1, 12);
    expect(normalOf(uniform, 0.25)).toBeCloseTo(0, 12);
  });

  test('has mean 0, variance 1 and the tails of the table', () => {
    const random = new Random(11);
    const values = Array.from({ length: DRAWS }, () => normalOf(random.next(), random.next()));
    expectMean(values, 0, 1);
    // The square of a standard normal value has mean 1 and variance 2.
    expectMean(
      values.map((value) => value ** 2),
      1,
      Math.SQRT2,
    );
    for (const [bound, beyond] of [
      [1, 0.317311],
      [1.959964, 0.05],
      [3.290527, 0.001],
    ] as const) {
      expectShare(values.filter((value) => Math.abs(value) > bound).length, DRAWS, beyond);
    }
  });
});

describe('a Pareto draw', () => {
  test('of shape 3 and mean 3 is at least 2, and more than 4 once in 8, more than 6 once in 27 times', () => {
    expect(paretoOf(0, 3)).toBe(2);
    expect(paretoOf(1 - 1 / 8, 3)).toBeCloseTo(4, 12);
    expect(paretoOf(1 - 1 / 27, 3)).toBeCloseTo(6, 12);
    expect(paretoOf(1 - 2 ** -32, 3) / 2).toBeCloseTo(1625.5, 1);
  });

  test('has the mean it is asked for, and the distribution function 1 - (scale / x)^3', () => {
    const random = new Random(12);
    const values = Array.from({ length: DRAWS }, () => paretoOf(random.next(), 3));
    // Its variance is scale^2 * 3 / 4: finite, so that the mean is normal in the limit.
    expectMean(values, 3, Math.sqrt(3));
    expect(distance(values, (value) => 1 - (2 / value) ** 3)).toBeLessThan(1.95 / Math.sqrt(DRAWS));
  });
});
