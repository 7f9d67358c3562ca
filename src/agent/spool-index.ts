/** Which documents wait in the spool, in the order of the chain: a bit each, and never more than a limit of memory. */

import { LIMITS } from '../base/limits.ts';
import { NumberBlock } from './number-block.ts';

export interface SpooledFile {
  sequence: number;
  /** Octets of its file. */
  bytes: number;
}

/** A stretch of numbers whose documents are counted and not listed: which there are, only the folder says. */
interface Unlisted {
  first: number;
  last: number;
  count: number;
  bytes: number;
}

/**
 * The numbers of a chain count on by one, so that few blocks hold very many. Where they are so far apart that there are too
 * many blocks, those in the middle are left out, as one stretch: the oldest and the newest documents are always listed.
 */
export class SpoolIndex {
  /** Ascending, none of them empty, none within the stretch that is left out. */
  readonly #blocks: NumberBlock[] = [];
  readonly #blocksMax: number;
  #unlisted: Unlisted | null = null;
  #count = 0;
  #bytes = 0;

  /** @param blocksMax at least two */
  constructor(blocksMax: number = LIMITS.spoolIndexBlocksMax) {
    this.#blocksMax = blocksMax;
  }

  /** All documents, listed or not. */
  get count(): number {
    return this.#count;
  }

  /** Octets of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The lowest number that is listed, or null. */
  get oldest(): number | null {
    return this.next(0);
  }

  /** The highest number that is listed, or null. */
  get newest(): number | null {
    return this.#blocks.at(-1)?.newest ?? null;
  }

  /** The stretch that is left out, or null. */
  get unlisted(): Readonly<Unlisted> | null {
    return this.#unlisted;
  }

  /** Whether it is time to `list` what is left out: there is room for it, or nothing else older or newer. */
  get wantsMore(): boolean {
    if (this.#unlisted === null) return false;
    const { length } = this.#blocks;
    const below = this.#blockAt(this.#unlisted.first);
    return length <= this.#blocksMax / 2 || below === 0 || below === length;
  }

  /** Whether the number is listed. */
  has(sequence: number): boolean {
    return this.next(sequence) === sequence;
  }

  /** Whether only the folder can say if there is such a document. */
  leavesOut(sequence: number): boolean {
    return this.#unlisted !== null && this.#unlisted.first <= sequence && sequence <= this.#unlisted.last;
  }

  /** The lowest number listed that is `from` or more, or null. */
  next(from: number): number | null {
    const at = this.#blockAt(from);
    return this.#blocks[at]?.next(from) ?? this.#blocks[at + 1]?.next(from) ?? null;
  }

  /** The numbers listed from the lowest that is `from` or more on. The index must not change meanwhile. */
  *from(from: number): Generator<number> {
    for (let next = this.next(from); next !== null; next = this.next(next + 1)) yield next;
  }

  /** Adds a file that is not there yet. */
  add({ sequence, bytes }: SpooledFile): void {
    this.#count += 1;
    this.#bytes += bytes;
    if (this.#unlisted !== null && this.leavesOut(sequence)) {
      this.#unlisted.count += 1;
      this.#unlisted.bytes += bytes;
      return;
    }
    this.#blockFor(sequence).add(sequence, bytes);
    this.#leaveOut();
  }

  /**
   * Takes a file out.
   *
   * @param bytes what it has now; null when it is gone, or the disk does not say
   * @returns whether it was there
   */
  remove(sequence: number, bytes: number | null): boolean {
    if (this.#unlisted !== null && this.leavesOut(sequence)) return this.#removeUnlisted(this.#unlisted, bytes);
    const at = this.#blockAt(sequence);
    const block = this.#blocks[at];
    if (block?.has(sequence) !== true) return false;
    this.#count -= 1;
    this.#bytes -= block.remove(sequence, bytes);
    if (block.count === 0) this.#blocks.splice(at, 1);
    return true;
  }

  /** Takes in what the folder holds of the stretch that was left out. Returns how many documents less that is than were counted. */
  list(found: SpoolIndex): number {
    const { first = 0, count = 0, bytes = 0 } = this.#unlisted ?? {};
    this.#count += found.count - count;
    this.#bytes += found.bytes - bytes;
    this.#blocks.splice(this.#blockAt(first), 0, ...found.#blocks);
    this.#unlisted = found.#unlisted;
    this.#leaveOut();
    return count - found.count;
  }

  #removeUnlisted(unlisted: Unlisted, bytes: number | null): boolean {
    if (bytes === null) return false;
    const freed = unlisted.count === 1 ? unlisted.bytes : Math.min(bytes, unlisted.bytes);
    unlisted.count -= 1;
    unlisted.bytes -= freed;
    this.#count -= 1;
    this.#bytes -= freed;
    if (unlisted.count === 0) this.#unlisted = null;
    return true;
  }

  /** Leaves out blocks beside the stretch that is left out already, where there are more of them, until there are few enough. */
  #leaveOut(): void {
    while (this.#blocks.length > this.#blocksMax) {
      const { length } = this.#blocks;
      const below = this.#unlisted === null ? length >>> 1 : this.#blockAt(this.#unlisted.first);
      const [block] = this.#blocks.splice(length - below > below ? below : below - 1, 1);
      if (block === undefined) return;
      const { first = block.first, last = block.last, count = 0, bytes = 0 } = this.#unlisted ?? {};
      this.#unlisted = {
        first: Math.min(first, block.first),
        last: Math.max(last, block.last),
        count: count + block.count,
        bytes: bytes + block.bytes,
      };
    }
  }

  /** Where the block is in which the number is or would be, or else the next one. */
  #blockAt(sequence: number): number {
    let [low, high] = [0, this.#blocks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#blocks[middle]?.last ?? 0) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #blockFor(sequence: number): NumberBlock {
    const at = this.#blockAt(sequence);
    const known = this.#blocks[at];
    if (known !== undefined && known.first <= sequence) return known;
    const block = new NumberBlock(NumberBlock.firstOf(sequence));
    this.#blocks.splice(at, 0, block);
    return block;
  }
}
