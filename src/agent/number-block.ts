/** Some of the numbers of one stretch, a bit each, and the octets of their files together. */

/** Numbers of a stretch: 512 octets of bits. */
export const BLOCK_NUMBERS = 4096;

const WORD_BITS = 32;

export class NumberBlock {
  /** The lowest number that may be in it. */
  readonly first: number;
  readonly #words = new Uint32Array(BLOCK_NUMBERS / WORD_BITS);
  #count = 0;
  #bytes = 0;

  constructor(first: number) {
    this.first = first;
  }

  /** The lowest number of the block to which this one belongs. */
  static firstOf(number: number): number {
    return number - (number % BLOCK_NUMBERS);
  }

  /** The highest number that may be in it. */
  get last(): number {
    return this.first + BLOCK_NUMBERS - 1;
  }

  get count(): number {
    return this.#count;
  }

  /** Octets of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The highest number, or null. */
  get newest(): number | null {
    for (let at = this.#words.length - 1; at >= 0; at -= 1) {
      const word = this.#word(at);
      if (word !== 0) return this.first + at * WORD_BITS + (WORD_BITS - 1 - Math.clz32(word));
    }
    return null;
  }

  has(number: number): boolean {
    return this.next(number) === number;
  }

  /** The lowest number that is `from` or more, or null. */
  next(from: number): number | null {
    const offset = Math.max(0, from - this.first);
    let mask = -1 << (offset % WORD_BITS);
    for (let at = Math.floor(offset / WORD_BITS); at < this.#words.length; at += 1) {
      const word = this.#word(at) & mask;
      if (word !== 0) return this.first + at * WORD_BITS + (WORD_BITS - 1 - Math.clz32(word & -word));
      mask = -1;
    }
    return null;
  }

  /** Adds a number that is not there yet. */
  add(number: number, bytes: number): void {
    this.#flip(number);
    this.#count += 1;
    this.#bytes += bytes;
  }

  /**
   * Takes out a number that is there, and returns the octets that go with it. They are those of its file now, or its share
   * when nobody knows (null), and never more than there are: files may have changed. With the last number all go.
   */
  remove(number: number, bytes: number | null): number {
    const share = Math.min(this.#bytes, bytes ?? Math.round(this.#bytes / this.#count));
    this.#flip(number);
    this.#count -= 1;
    const freed = this.#count === 0 ? this.#bytes : share;
    this.#bytes -= freed;
    return freed;
  }

  #flip(number: number): void {
    const offset = number - this.first;
    const at = Math.floor(offset / WORD_BITS);
    this.#words[at] = this.#word(at) ^ (1 << (offset % WORD_BITS));
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }
}
