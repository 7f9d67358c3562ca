/** Probes whose outcome is open: first in, first out, and each found by its name; fixed in size. */

import { mix32 } from './mix32.ts';

/** What a probe is called by its request and its reply alike. */
export interface ProbeName {
  /** 0 ICMP, 1 STAMP. */
  readonly kind: number;
  /** 32 bits that name the path. */
  readonly session: number;
  /** The sender's, 32 bits. */
  readonly sequence: number;
}

const NONE = -1;

/**
 * Probes stand in a ring in the order of their requests, so that those which are due for settling are always at its front,
 * and are found by a hash over the whole name: it takes no room for paths, only for probes. A probe is known by its place
 * in the ring until it is dropped; the arrays are indexed by it.
 */
export class PendingProbes {
  readonly sentNs: Float64Array;
  readonly second: Uint32Array;
  readonly state: Uint8Array;
  readonly delayNs: Float64Array;
  readonly lagNs: Float64Array;
  readonly #pair: Uint32Array;
  readonly #session: Uint32Array;
  readonly #sequence: Uint32Array;
  /** The newest probe of each hash, and of each probe the next older one of the same hash. */
  readonly #bucket: Int32Array;
  readonly #older: Int32Array;
  #first = 0;
  #size = 0;

  constructor(capacity: number) {
    this.sentNs = new Float64Array(capacity);
    this.second = new Uint32Array(capacity);
    this.state = new Uint8Array(capacity);
    this.delayNs = new Float64Array(capacity);
    this.lagNs = new Float64Array(capacity);
    this.#pair = new Uint32Array(capacity);
    this.#session = new Uint32Array(capacity);
    this.#sequence = new Uint32Array(capacity);
    this.#bucket = new Int32Array(capacity).fill(NONE);
    this.#older = new Int32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** The place of the probe that has been here longest; only while there is one. */
  get first(): number {
    return this.#first;
  }

  /** The place of the prober's probe, or -1. Hosts are numbers below 2^15. */
  find(from: number, to: number, name: ProbeName): number {
    const pair = pairOf(from, to, name.kind);
    const session = name.session >>> 0;
    const sequence = name.sequence >>> 0;
    let at = this.#bucket[this.#hash(pair, session, sequence)] ?? NONE;
    while (at !== NONE && !this.#isNamed(at, pair, session, sequence)) at = this.#older[at] ?? NONE;
    return at;
  }

  /** Adds a probe that is not in; returns its place, or -1 when there is no room. Its row is the caller's to fill. */
  add(from: number, to: number, name: ProbeName): number {
    const capacity = this.#older.length;
    if (this.#size === capacity) return NONE;
    const at = (this.#first + this.#size) % capacity;
    const pair = pairOf(from, to, name.kind);
    this.#pair[at] = pair;
    this.#session[at] = name.session;
    this.#sequence[at] = name.sequence;
    const hash = this.#hash(pair, name.session, name.sequence);
    this.#older[at] = this.#bucket[hash] ?? NONE;
    this.#bucket[hash] = at;
    this.#size += 1;
    return at;
  }

  from(at: number): number {
    return (this.#pair[at] ?? 0) >>> 16;
  }

  to(at: number): number {
    return ((this.#pair[at] ?? 0) & 0xffff) >>> 1;
  }

  kind(at: number): number {
    return (this.#pair[at] ?? 0) & 1;
  }

  /** Takes out the probe at `first`. */
  dropFirst(): void {
    const at = this.#first;
    const hash = this.#hash(this.#pair[at] ?? 0, this.#session[at] ?? 0, this.#sequence[at] ?? 0);
    this.#unlink(at, hash);
    this.#first = (at + 1) % this.#older.length;
    this.#size -= 1;
  }

  /** The oldest probe of all is the last of its chain: no other names it but the one before it. */
  #unlink(oldest: number, hash: number): void {
    let at = this.#bucket[hash] ?? NONE;
    if (at === oldest) {
      this.#bucket[hash] = NONE;
      return;
    }
    while (this.#older[at] !== oldest) at = this.#older[at] ?? NONE;
    this.#older[at] = NONE;
  }

  #isNamed(at: number, pair: number, session: number, sequence: number): boolean {
    return this.#sequence[at] === sequence && this.#session[at] === session && this.#pair[at] === pair;
  }

  #hash(pair: number, session: number, sequence: number): number {
    return mix32(mix32(mix32(pair) ^ session) ^ sequence) % this.#bucket.length;
  }
}

function pairOf(from: number, to: number, kind: number): number {
  return ((from << 16) | (to << 1) | kind) >>> 0;
}
