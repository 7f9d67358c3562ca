/** Finds the host of the emulated network that an address in a packet belongs to. */

import { parseIp } from '../linux/ip-text.ts';
import type { LabHost } from '../config/lab-scenario.ts';

/** Where the number of a host stands in its addresses, 198.18.N.1 and 2001:db8:N::1. */
const NUMBER_OFFSET = { ipv4: 2, ipv6: 5 } as const;

export class HostTable {
  /** By the number in the address: place of the host, -1 for none. */
  readonly #places = new Int16Array(256).fill(-1);
  readonly #ipv4: readonly (Uint8Array | null)[];
  readonly #ipv6: readonly (Uint8Array | null)[];

  constructor(hosts: readonly LabHost[]) {
    this.#ipv4 = hosts.map(({ ipv4 }) => (ipv4 === null ? null : parseIp(ipv4)));
    this.#ipv6 = hosts.map(({ ipv6 }) => (ipv6 === null ? null : parseIp(ipv6)));
    for (const [place] of hosts.entries()) {
      const number = this.#ipv4[place]?.[NUMBER_OFFSET.ipv4] ?? this.#ipv6[place]?.[NUMBER_OFFSET.ipv6] ?? 0;
      this.#places[number] = place;
    }
  }

  /** Place of the host with the address of 4 or 16 octets at an offset, or -1. */
  find(view: DataView, offset: number, bytes: 4 | 16): number {
    const number = view.getUint8(offset + (bytes === 4 ? NUMBER_OFFSET.ipv4 : NUMBER_OFFSET.ipv6));
    const place = this.#places[number] ?? -1;
    const address = (bytes === 4 ? this.#ipv4 : this.#ipv6)[place];
    if (!address) return -1;
    for (let at = 0; at < bytes; at += 1) if (view.getUint8(offset + at) !== address[at]) return -1;
    return place;
  }
}
