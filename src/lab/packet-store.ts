/** Packets on their way through the emulated network: a fixed number of places, each with octets and a few facts. */

import { Arena } from '../linux/arena.ts';

/** Octets of a place: more than any packet of a TUN device with an MTU of 1500. */
export const PLACE_BYTES = 2048;

export class PacketStore {
  readonly arena: Arena;
  readonly capacity: number;
  /** A place beyond all others, for a packet that is read to be dropped because there is no room for it. */
  readonly spare: number;
  /** Facts by place. Host to write the packet to, and the one it came from; -1 for a router's. */
  readonly to: Int16Array;
  readonly from: Int16Array;
  readonly length: Uint16Array;
  /** When it was read and when it shall be written, ns on CLOCK_MONOTONIC. */
  readonly arrivedNs: Float64Array;
  readonly dueNs: Float64Array;
  /** Unix second in which it was read. */
  readonly second: Float64Array;
  /** What the probe matcher knows it by; role 0 for anything but a probe that arrives whole. */
  readonly role: Uint8Array;
  readonly kind: Uint8Array;
  readonly session: Uint32Array;
  readonly sequence: Uint32Array;
  /** 1 for what the truth does not count as delivered: a copy, or an answer of a router. */
  readonly aside: Uint8Array;
  readonly #free: Int32Array;
  #freeCount: number;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.spare = capacity;
    this.arena = new Arena((capacity + 1) * PLACE_BYTES);
    this.to = new Int16Array(capacity + 1);
    this.from = new Int16Array(capacity + 1);
    this.length = new Uint16Array(capacity + 1);
    this.arrivedNs = new Float64Array(capacity + 1);
    this.dueNs = new Float64Array(capacity + 1);
    this.second = new Float64Array(capacity + 1);
    this.role = new Uint8Array(capacity + 1);
    this.kind = new Uint8Array(capacity + 1);
    this.session = new Uint32Array(capacity + 1);
    this.sequence = new Uint32Array(capacity + 1);
    this.aside = new Uint8Array(capacity + 1);
    this.#free = Int32Array.from({ length: capacity }, (_, at) => capacity - 1 - at);
    this.#freeCount = capacity;
  }

  /** Takes a free place, or -1. */
  take(): number {
    if (this.#freeCount === 0) return -1;
    this.#freeCount -= 1;
    return this.#free[this.#freeCount] ?? -1;
  }

  /** Gives a place back. */
  release(place: number): void {
    this.#free[this.#freeCount] = place;
    this.#freeCount += 1;
  }

  /** Offset of a place's octets in the arena. */
  offset(place: number): number {
    return place * PLACE_BYTES;
  }

  /** Copies a packet with all its facts. */
  copy(from: number, to: number): void {
    const start = this.offset(from);
    this.arena.octets.copyWithin(this.offset(to), start, start + (this.length[from] ?? 0));
    for (const facts of [this.to, this.from, this.length, this.arrivedNs, this.dueNs, this.second]) {
      facts[to] = facts[from] ?? 0;
    }
    for (const facts of [this.role, this.kind, this.session, this.sequence, this.aside]) facts[to] = facts[from] ?? 0;
  }
}
