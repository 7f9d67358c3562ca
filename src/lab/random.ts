/** Chance that can be repeated: a seeded generator, and draws of the distributions that delays have. */

import { mix32 } from './mix32.ts';
import { xoshiro128 } from './xoshiro.ts';

/** The golden ratio as a fraction of 2^32: sets apart what begins alike. */
const GOLDEN = 0x9e3779b9;

/** A stream of its own for the names it is made with, 32 bits each; the same names give the same stream again. */
export class Random {
  readonly #state: Int32Array;

  constructor(...names: readonly number[]) {
    this.#state = Int32Array.from({ length: 4 }, (_, lane) => {
      let word = mix32(GOLDEN + lane);
      for (const name of names) word = mix32((word ^ name) + GOLDEN);
      // One word with its lowest bit set keeps the state from being all zero, which the generator would never leave.
      return lane === 0 ? word | 1 : word;
    });
  }

  /** The next of 2^32 values in [0, 1). */
  next(): number {
    return xoshiro128(this.#state) / 2 ** 32;
  }

  /** Fills the whole array with draws. */
  drawInto(draws: Float64Array): void {
    for (let at = 0; at < draws.length; at += 1) draws[at] = this.next();
  }
}

/**
 * The standard normal value of two uniform ones in [0, 1), by Box and Muller ("A Note on the Generation of Random Normal
 * Deviates", 1958): mean 0, standard deviation 1. With 32 bits it is never further out than 6.7.
 */
export function normalOf(uniform: number, angle: number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform)) * Math.cos(2 * Math.PI * angle);
}

/**
 * The Pareto value of a uniform one in [0, 1), with shape 3 and this mean: `scale / (1 - uniform)^(1/3)` with the scale
 * `mean * 2 / 3`, which is also its least value. More than x is drawn with probability (scale / x)^3; the standard deviation
 * is scale * sqrt(3) / 2. With 32 bits it is at most 1626 times the scale.
 */
export function paretoOf(uniform: number, mean: number): number {
  return (mean * 2) / 3 / Math.cbrt(1 - uniform);
}
