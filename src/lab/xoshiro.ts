/** The generator xoshiro128** 1.1 of Blackman and Vigna ("Scrambled Linear Pseudorandom Number Generators", 2021). */

/** Steps the state, four words that must not all be zero, and returns the next 32 bits, unsigned. The period is 2^128 - 1. */
export function xoshiro128(state: Int32Array): number {
  const a = state[0] ?? 0;
  const b = state[1] ?? 0;
  const c = (state[2] ?? 0) ^ a;
  const d = (state[3] ?? 0) ^ b;
  state[0] = a ^ d;
  state[1] = b ^ c;
  state[2] = c ^ (b << 9);
  state[3] = (d << 11) | (d >>> 21);
  const scrambled = Math.imul(b, 5);
  return Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
}
