/** The reflector's provisioned sessions: found by address, port and SSID without allocating. */

import { isAddress } from '../base/ip-address.ts';
import type { ReflectorSession } from './plan.ts';

/** FNV-1a, 32 bits. */
const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

export class SessionTable {
  readonly #sessions: readonly ReflectorSession[];
  /** Open addressing: session number plus one, 0 where free; at most a quarter is used. By address and SSID. */
  readonly #bySession: Int32Array;
  /** The same by address alone, to tell a strange sender from a strange session. */
  readonly #byAddress: Int32Array;
  /** Sequence number of the session's next reply: a stateful reflector counts what it transmits (RFC 8762 section 4). */
  readonly #sequences: Uint32Array;

  constructor(sessions: readonly ReflectorSession[]) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, sessions.length) * 4));
    this.#sessions = sessions;
    this.#bySession = new Int32Array(size);
    this.#byAddress = new Int32Array(size);
    this.#sequences = new Uint32Array(sessions.length);
    for (const [number, { address, ssid }] of sessions.entries()) {
      this.#insert(this.#bySession, hash(address, address.length, ssid), number);
      if (this.#isKnown(address, address.length)) continue;
      this.#insert(this.#byAddress, hash(address, address.length, 0), number);
    }
  }

  /** Number of the session; -1 when the address has none at all, -2 when port or SSID are not what was provisioned. */
  find(address: Uint8Array, bytes: number, port: number, ssid: number): number {
    const mask = this.#bySession.length - 1;
    for (let at = hash(address, bytes, ssid) & mask; this.#bySession[at] !== 0; at = (at + 1) & mask) {
      const number = (this.#bySession[at] ?? 0) - 1;
      const session = this.#sessions[number];
      if (session?.ssid === ssid && session.port === port && isAddress(session.address, address, bytes)) return number;
    }
    return this.#isKnown(address, bytes) ? -2 : -1;
  }

  /** The session with a number that `find` has returned. */
  at(number: number): ReflectorSession {
    const session = this.#sessions[number];
    if (session) return session;
    throw new RangeError(`a session below ${this.#sessions.length} expected, found ${number}`);
  }

  /** The number of the session's next reply; it is taken. */
  takeSequence(session: number): number {
    const sequence = this.#sequences[session] ?? 0;
    this.#sequences[session] = sequence + 1;
    return sequence;
  }

  #insert(table: Int32Array, start: number, number: number): void {
    let at = start & (table.length - 1);
    while (table[at] !== 0) at = (at + 1) & (table.length - 1);
    table[at] = number + 1;
  }

  #isKnown(address: Uint8Array, bytes: number): boolean {
    const mask = this.#byAddress.length - 1;
    for (let at = hash(address, bytes, 0) & mask; this.#byAddress[at] !== 0; at = (at + 1) & mask) {
      const session = this.#sessions[(this.#byAddress[at] ?? 0) - 1];
      if (session && isAddress(session.address, address, bytes)) return true;
    }
    return false;
  }
}

function hash(address: Uint8Array, bytes: number, ssid: number): number {
  let value = HASH_START ^ ssid;
  for (let at = 0; at < bytes; at += 1) value = Math.imul(value ^ (address[at] ?? 0), HASH_PRIME);
  return (value ^ (value >>> 15)) >>> 0;
}
