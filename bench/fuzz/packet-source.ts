/** Makes packets that nobody should send: random octets, and valid packets with bits, lengths and TLVs gone wrong. */

import { STAMP_BASE_BYTES } from '../../src/wire/stamp.ts';
import type { Random } from './random.ts';

/** One packet in so many is random octets, and one in so many a template as it is. */
const RANDOM_EVERY = 4;
const UNCHANGED_EVERY = 16;
const MUTATIONS_MAX = 4;
const FLIPS_MAX = 8;
const SHORT_BYTES = 96;
/** Numbers at which lengths, types and counters tend to break. */
const EDGES = [0, 1, 3, 4, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];

export class PacketSource {
  /** The packet is in the first `next()` octets of it. */
  readonly octets: Uint8Array;
  readonly #random: Random;
  readonly #templates: readonly Uint8Array[];
  readonly #mutations = [
    (length: number) => this.#flip(length),
    (length: number) => this.#setEdge(length),
    (length: number) => this.#overwrite(length),
    (length: number) => this.#truncate(length),
    (length: number) => this.#extend(length),
    (length: number) => this.#duplicateTail(length),
  ];

  /** Packets have up to `bytesMax` octets; templates have to fit in. */
  constructor(random: Random, templates: readonly Uint8Array[], bytesMax: number) {
    this.#random = random;
    this.#templates = templates;
    this.octets = new Uint8Array(bytesMax);
  }

  /** Makes the next packet; returns its length. */
  next(): number {
    if (this.#random.below(RANDOM_EVERY) === 0) return this.#drawOctets();
    const template = this.#templates[this.#random.below(this.#templates.length)];
    this.octets.set(template ?? []);
    let length = template?.length ?? 0;
    if (this.#random.below(UNCHANGED_EVERY) === 0) return length;
    for (let left = 1 + this.#random.below(MUTATIONS_MAX); left > 0; left -= 1) {
      length = this.#mutations[this.#random.below(this.#mutations.length)]?.(length) ?? length;
    }
    return length;
  }

  /** Mostly short: what matters to a decoder is in front. */
  #drawOctets(): number {
    const isShort = this.#random.below(16) > 0;
    const length = this.#random.below((isShort ? SHORT_BYTES : this.octets.length) + 1);
    this.#fill(0, length);
    return length;
  }

  #fill(from: number, to: number): void {
    for (let at = from; at < to; at += 4) {
      const bits = this.#random.next();
      for (let octet = at; octet < Math.min(to, at + 4); octet += 1) {
        this.octets[octet] = bits >>> (8 * (octet - at));
      }
    }
  }

  #flip(length: number): number {
    if (length === 0) return 0;
    for (let left = 1 + this.#random.below(FLIPS_MAX); left > 0; left -= 1) {
      const at = this.#random.below(length);
      this.octets[at] = (this.octets[at] ?? 0) ^ (1 << this.#random.below(8));
    }
    return length;
  }

  /** A 16-bit field, as all lengths and types are, takes a number from the edge of its range. */
  #setEdge(length: number): number {
    if (length < 2) return length;
    const at = 2 * this.#random.below(length >> 1);
    const edge = EDGES[this.#random.below(EDGES.length)] ?? 0;
    this.octets[at] = edge >> 8;
    this.octets[at + 1] = edge;
    return length;
  }

  #overwrite(length: number): number {
    const from = this.#random.below(length + 1);
    this.#fill(from, Math.min(length, from + this.#random.below(16)));
    return length;
  }

  #truncate(length: number): number {
    return this.#random.below(length + 1);
  }

  #extend(length: number): number {
    const room = this.octets.length - length;
    const extended = length + this.#random.below(Math.min(room, SHORT_BYTES) + 1);
    this.#fill(length, extended);
    return extended;
  }

  /** TLVs come twice: the octets behind the base packet once more, from the start or from a word within. */
  #duplicateTail(length: number): number {
    if (length <= STAMP_BASE_BYTES) return length;
    const from = STAMP_BASE_BYTES + 4 * this.#random.below((length - STAMP_BASE_BYTES + 3) >> 2);
    const count = Math.min(length - from, this.octets.length - length);
    this.octets.copyWithin(length, from, from + count);
    return length + count;
  }
}
