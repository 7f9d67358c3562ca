/** Named counters in shared memory: one thread counts, the others read. */

import { PopprobeError } from '../base/errors.ts';

/**
 * Counters as doubles (exact to 2^53) in one SharedArrayBuffer, one per name, in the order of `names`. One writer; a
 * reader may see a value a moment old, never a torn one (aligned 64-bit stores).
 */
export class Counters<Name extends string> {
  readonly names: readonly Name[];
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array;
  readonly #index: ReadonlyMap<Name, number>;

  /** Throws ring_mismatch when `buffer` was made for another list of names. */
  constructor(names: readonly Name[], buffer = new SharedArrayBuffer(names.length * 8)) {
    if (buffer.byteLength !== names.length * 8) {
      throw new PopprobeError('ring_mismatch', {
        expected: `${names.length * 8} octets of counters`,
        found: `${buffer.byteLength}`,
        remedy: 'restart the agent; if it stays, the two threads run different versions of popprobe',
      });
    }
    this.names = names;
    this.buffer = buffer;
    this.#values = new Float64Array(buffer);
    this.#index = new Map(names.map((name, at) => [name, at]));
  }

  /** Where a counter stands, for `addAt` and `maxAt`: what counts at every turn need not look it up each time. */
  place(name: Name): number {
    return this.#at(name);
  }

  addAt(place: number, amount: number): void {
    this.#values[place] = (this.#values[place] ?? 0) + amount;
  }

  maxAt(place: number, value: number): void {
    if (value > (this.#values[place] ?? 0)) this.#values[place] = value;
  }

  add(name: Name, amount = 1): void {
    this.addAt(this.#at(name), amount);
  }

  set(name: Name, value: number): void {
    this.#values[this.#at(name)] = value;
  }

  max(name: Name, value: number): void {
    this.maxAt(this.#at(name), value);
  }

  get(name: Name): number {
    return this.#values[this.#at(name)] ?? 0;
  }

  #at(name: Name): number {
    return this.#index.get(name) ?? -1;
  }
}
