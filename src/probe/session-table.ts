/** The reflector's provisioned sessions: found by address, port and SSID without allocating. */

import type { ReflectorSession } from './plan.ts';

export class SessionTable {
  /** `address * 2^16 + ssid`, ascending; both fit a double exactly. */
  readonly #keys: Float64Array;
  readonly #ports: Uint16Array;
  /** Sequence number of the session's next reply: a stateful reflector counts what it transmits (RFC 8762 section 4). */
  readonly #sequences: Uint32Array;

  constructor(sessions: readonly ReflectorSession[]) {
    const sorted = [...sessions].sort((a, b) => key(a.address, a.ssid) - key(b.address, b.ssid));
    this.#keys = Float64Array.from(sorted, (session) => key(session.address, session.ssid));
    this.#ports = Uint16Array.from(sorted, (session) => session.port);
    this.#sequences = new Uint32Array(sorted.length);
  }

  /** Index of the session; -1 when the address has none at all, -2 when port or SSID are not what was provisioned. */
  find(address: number, port: number, ssid: number): number {
    const wanted = key(address, ssid);
    const at = this.#lowerBound(wanted);
    if (this.#keys[at] === wanted && this.#ports[at] === port) return at;
    const known = this.#lowerBound(key(address, 0));
    return Math.floor((this.#keys[known] ?? -1) / SSIDS) === address ? -2 : -1;
  }

  /** The number of the session's next reply; it is taken. */
  takeSequence(session: number): number {
    const sequence = this.#sequences[session] ?? 0;
    this.#sequences[session] = sequence + 1;
    return sequence;
  }

  #lowerBound(wanted: number): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const SSIDS = 65_536;

function key(address: number, ssid: number): number {
  return address * SSIDS + ssid;
}
