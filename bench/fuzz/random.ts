/** Random numbers that a seed brings back: xorshift with 32 bits of state (Marsaglia 2003). */

export class Random {
  #state: number;

  /** Any seed will do; 0, from which the generator would not move, becomes another. */
  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** 32 random bits as an unsigned number; never 0. */
  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }

  /** A whole number from 0 to `count - 1`, of the upper bits. */
  below(count: number): number {
    return Math.floor((this.next() / 2 ** 32) * count);
  }
}
