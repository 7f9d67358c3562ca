/**
 * HMAC-SHA-256 for STAMP packets, with the state behind the key computed once (RFC 2104, RFC 8762 section 4.4).
 *
 * `createHmac` of Node.js builds a native object, a key schedule and a Buffer for each packet. Here the two keyed states
 * are kept, copied over a running pair for each packet, and fed from one small buffer. What is still allocated is the
 * library's own, views and arrays within its digest: less than 500 octets a code, none of which outlives it.
 */

import { type _HMAC, hmac } from '@noble/hashes/hmac.js';
import { type _SHA256, sha256 } from '@noble/hashes/sha2.js';
import { MAC_BYTES, type PacketMac } from '../wire/packet-mac.ts';

/** Half a block of SHA-256: the library copies it into its own block, where a whole block would cost a view. */
const CHUNK_BYTES = 32;
const DIGEST_BYTES = 32;

type HmacState = _HMAC<_SHA256>;

/** A key as the state it leaves behind, and the state that a message runs through. */
interface KeyedState {
  readonly keyed: HmacState;
  readonly running: HmacState;
}

/** A session's keys: the first one signs, every one verifies, so that two hosts need not change keys at one instant. */
export class HmacSha256Mac implements PacketMac {
  readonly #signing: KeyedState;
  readonly #all: readonly KeyedState[];
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  /** The chunk's first n octets, for every n: the end of a message is fed without making a view for it. */
  readonly #heads = Array.from({ length: CHUNK_BYTES }, (_, bytes) => this.#chunk.subarray(0, bytes));
  readonly #digest = new Uint8Array(DIGEST_BYTES);
  #filled = 0;

  /** The keys are octets of any length (32 is what RFC 4868 uses) and are not kept. */
  constructor(signingKey: Uint8Array, ...olderKeys: readonly Uint8Array[]) {
    this.#signing = keyedState(signingKey);
    this.#all = [this.#signing, ...olderKeys.map(keyedState)];
  }

  start(): void {
    // oxlint-disable-next-line no-underscore-dangle -- the library's name for a copy that allocates nothing
    for (const state of this.#all) state.keyed._cloneInto(state.running);
    this.#filled = 0;
  }

  update(view: DataView, from: number, to: number): void {
    for (let at = from; at < to; at += 1) {
      this.#chunk[this.#filled] = view.getUint8(at);
      this.#filled += 1;
      if (this.#filled === CHUNK_BYTES) this.#feed(this.#chunk);
    }
  }

  write(view: DataView, at: number): void {
    this.#finish();
    this.#signing.running.digestInto(this.#digest);
    for (let octet = 0; octet < MAC_BYTES; octet += 1) view.setUint8(at + octet, this.#digest[octet] ?? 0);
  }

  /** Every key is tried even after one has matched: the time tells neither the place of a difference nor the key. */
  matches(view: DataView, at: number): boolean {
    this.#finish();
    let matching = 0;
    for (const state of this.#all) {
      state.running.digestInto(this.#digest);
      let difference = 0;
      for (let octet = 0; octet < MAC_BYTES; octet += 1) {
        difference |= view.getUint8(at + octet) ^ (this.#digest[octet] ?? 0);
      }
      matching |= (difference - 1) >>> 31;
    }
    return matching === 1;
  }

  #finish(): void {
    const head = this.#heads[this.#filled];
    if (head && head.length > 0) this.#feed(head);
  }

  #feed(octets: Uint8Array): void {
    for (const state of this.#all) state.running.update(octets);
    this.#filled = 0;
  }
}

function keyedState(key: Uint8Array): KeyedState {
  const keyed: HmacState = hmac.create(sha256, key);
  return { keyed, running: keyed.clone() };
}
