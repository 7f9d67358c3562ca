/** One block of memory that kernel structures are laid out in: its octets never move, its addresses are known. */

import { type Address, libc } from './libc.ts';

export class Arena {
  readonly octets: Uint8Array;
  readonly view: DataView;
  readonly words: Uint32Array;
  readonly #base: Address;
  #used = 0;

  /** Reserves `bytes` octets; larger than what V8 would put on its moving heap, whatever is asked for. */
  constructor(bytes: number) {
    const buffer = new ArrayBuffer(Math.max(4096, (bytes + 15) & ~15));
    this.octets = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Uint32Array(buffer);
    this.#base = libc().addressOf(buffer);
  }

  /** Takes `bytes` octets, aligned to 16, and returns their offset. */
  take(bytes: number): number {
    const offset = this.#used;
    this.#used += (bytes + 15) & ~15;
    if (this.#used > this.octets.length) throw new RangeError(`arena of ${this.octets.length} octets is too small`);
    return offset;
  }

  /** Address of an offset, for the kernel. */
  address(offset: number): Address {
    return this.#base + offset;
  }

  /** Writes a pointer to `target` at `offset`. */
  setPointer(offset: number, target: number): void {
    const address = this.address(target);
    this.words[offset >> 2] = address % 2 ** 32;
    this.words[(offset >> 2) + 1] = Math.floor(address / 2 ** 32);
  }

  /** Writes a 64-bit length that fits 32 bits at `offset`. */
  setLength(offset: number, length: number): void {
    this.words[offset >> 2] = length;
    this.words[(offset >> 2) + 1] = 0;
  }
}
