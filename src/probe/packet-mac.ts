/**
 * HMAC-SHA-256 for STAMP packets without allocating anything per packet (RFC 2104, RFC 8762 section 4.4).
 *
 * `createHmac` of Node.js builds a native object, a key schedule and a Buffer for each packet. Here the two states that a
 * key leaves behind are computed once, copied over a running pair for each packet, and fed from one small buffer.
 */

import { _SHA256, sha256 } from '@noble/hashes/sha2.js';
import { MAC_BYTES, type PacketMac } from '../wire/packet-mac.ts';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** Half a block: the library copies it into its own block, where a whole one would cost a view. */
const CHUNK_BYTES = 32;
/** Where the last block has its length; before it stand the message's end and the octet 0x80. */
const LENGTH_AT = 56;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** A session's keys: the first one signs, every one verifies, so that two hosts need not change keys at one instant. */
export class HmacSha256Mac implements PacketMac {
  readonly #signing: KeyedHmac;
  readonly #all: readonly KeyedHmac[];
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  /** The chunk's first n octets, for every n: the end of a message is fed without making a view for it. */
  readonly #heads = Array.from({ length: CHUNK_BYTES }, (_, bytes) => this.#chunk.subarray(0, bytes));
  #filled = 0;

  /** The keys are octets of any length (32 is what RFC 4868 uses) and are not kept. */
  constructor(signingKey: Uint8Array, ...olderKeys: readonly Uint8Array[]) {
    this.#signing = new KeyedHmac(signingKey);
    this.#all = [this.#signing, ...olderKeys.map((key) => new KeyedHmac(key))];
  }

  start(): void {
    for (const hmac of this.#all) hmac.start();
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
    const code = this.#signing.digest();
    for (let octet = 0; octet < MAC_BYTES; octet += 1) view.setUint8(at + octet, code[octet] ?? 0);
  }

  /** Every key is tried even after one has matched: the time tells neither the place of a difference nor the key. */
  matches(view: DataView, at: number): boolean {
    this.#finish();
    let matching = 0;
    for (const hmac of this.#all) {
      const code = hmac.digest();
      let difference = 0;
      for (let octet = 0; octet < MAC_BYTES; octet += 1) {
        difference |= view.getUint8(at + octet) ^ (code[octet] ?? 0);
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
    for (const hmac of this.#all) hmac.update(octets);
    this.#filled = 0;
  }
}

/** HMAC under one key: H(key ^ outer pad, H(key ^ inner pad, message)). */
class KeyedHmac {
  readonly #innerKeyed: Sha256;
  readonly #outerKeyed: Sha256;
  readonly #inner = new Sha256();
  readonly #outer = new Sha256();
  readonly #digest = new Uint8Array(DIGEST_BYTES);
  readonly #digestView = new DataView(this.#digest.buffer);

  constructor(key: Uint8Array) {
    const block = new Uint8Array(BLOCK_BYTES);
    block.set(key.length > BLOCK_BYTES ? sha256(key) : key);
    this.#innerKeyed = new Sha256().update(block.map((octet) => octet ^ INNER_PAD));
    this.#outerKeyed = new Sha256().update(block.map((octet) => octet ^ OUTER_PAD));
    block.fill(0);
  }

  start(): void {
    this.#innerKeyed.copyTo(this.#inner);
    this.#outerKeyed.copyTo(this.#outer);
  }

  update(octets: Uint8Array): void {
    this.#inner.update(octets);
  }

  /** The 32 octets of the code, until the next call. */
  digest(): Uint8Array {
    this.#inner.writeDigest(this.#digestView);
    this.#outer.update(this.#digest);
    this.#outer.writeDigest(this.#digestView);
    return this.#digest;
  }
}

/** The library's SHA-256, with an end that makes no views and arrays, unlike its `digestInto`. */
class Sha256 extends _SHA256 {
  copyTo(other: Sha256): void {
    // oxlint-disable-next-line no-underscore-dangle -- the library's own name
    this._cloneInto(other);
  }

  /** Ends the message (RFC 6234 section 4.1) and writes the 32 octets; what comes next is `copyTo` from another state. */
  writeDigest(into: DataView): void {
    this.buffer[this.pos] = 0x80;
    this.buffer.fill(0, this.pos + 1);
    if (this.pos >= LENGTH_AT) {
      this.process(this.view, 0);
      this.buffer.fill(0);
    }
    // The upper half of the length stays zero: no message here has 2^29 octets.
    this.view.setUint32(LENGTH_AT + 4, this.length * 8);
    this.process(this.view, 0);
    this.roundClean();
    into.setUint32(0, this.A);
    into.setUint32(4, this.B);
    into.setUint32(8, this.C);
    into.setUint32(12, this.D);
    into.setUint32(16, this.E);
    into.setUint32(20, this.F);
    into.setUint32(24, this.G);
    into.setUint32(28, this.H);
  }
}
