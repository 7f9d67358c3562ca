/** Finds a number by address, port and a 16-bit name, without allocating: open addressing over what is known at start. */

import { type IpAddress, isAddress } from '../base/ip-address.ts';

/** What a number stands for. */
export interface NamedEndpoint {
  address: IpAddress;
  port: number;
  /** An SSID, or the number of a socket: whatever tells entries of one address and port apart. */
  name: number;
}

/** FNV-1a, 32 bits. */
const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

export class EndpointTable {
  readonly #entries: readonly NamedEndpoint[];
  /** Number of the entry plus one, 0 where free; at most a quarter is used. */
  readonly #slots: Int32Array;
  /** The same, one entry for each address: whether it is known at all. */
  readonly #addresses: Int32Array;

  /** Numbers are places in `entries`. Of two that are alike the first is found. */
  constructor(entries: readonly NamedEndpoint[]) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, entries.length) * 4));
    this.#entries = entries;
    this.#slots = new Int32Array(size);
    this.#addresses = new Int32Array(size);
    for (const [number, { address, port, name }] of entries.entries()) {
      insert(this.#slots, hash(address, address.length, port, name), number);
      if (!this.knows(address, address.length)) insert(this.#addresses, hash(address, address.length, 0, 0), number);
    }
  }

  /** The number of the entry, or -1. The address is the first `bytes` octets. */
  find(address: Uint8Array, bytes: number, port: number, name: number): number {
    const mask = this.#slots.length - 1;
    for (let at = hash(address, bytes, port, name) & mask; this.#slots[at] !== 0; at = (at + 1) & mask) {
      const number = (this.#slots[at] ?? 0) - 1;
      const entry = this.#entries[number];
      if (entry?.port === port && entry.name === name && isAddress(entry.address, address, bytes)) return number;
    }
    return -1;
  }

  /** Whether any entry has the address. */
  knows(address: Uint8Array, bytes: number): boolean {
    const mask = this.#addresses.length - 1;
    for (let at = hash(address, bytes, 0, 0) & mask; this.#addresses[at] !== 0; at = (at + 1) & mask) {
      const entry = this.#entries[(this.#addresses[at] ?? 0) - 1];
      if (entry && isAddress(entry.address, address, bytes)) return true;
    }
    return false;
  }
}

function insert(slots: Int32Array, start: number, number: number): void {
  let at = start & (slots.length - 1);
  while (slots[at] !== 0) at = (at + 1) & (slots.length - 1);
  slots[at] = number + 1;
}

function hash(address: Uint8Array, bytes: number, port: number, name: number): number {
  let value = Math.imul(HASH_START ^ port, HASH_PRIME) ^ name;
  for (let at = 0; at < bytes; at += 1) value = Math.imul(value ^ (address[at] ?? 0), HASH_PRIME);
  return (value ^ (value >>> 15)) >>> 0;
}
