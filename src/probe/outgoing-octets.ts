/** Packets to be sent by Node.js' own sockets: their octets, lengths and destinations, until they are handed over. */

import { formatIp } from '../linux/ip-text.ts';
import type { Endpoint } from '../linux/sockaddr.ts';
import type { Outgoing } from './transport.ts';

export class OutgoingOctets implements Outgoing {
  readonly count: number;
  readonly arena: { readonly view: DataView };
  readonly octets: Buffer;
  readonly #stride: number;
  readonly #lengths: Uint16Array;
  readonly #ports: Uint16Array;
  readonly #addresses: string[];

  /** `count` messages of up to `payloadBytes` octets. */
  constructor(count: number, payloadBytes: number) {
    this.count = count;
    this.#stride = payloadBytes;
    this.octets = Buffer.alloc(count * payloadBytes);
    this.arena = { view: new DataView(this.octets.buffer, this.octets.byteOffset, this.octets.byteLength) };
    this.#lengths = new Uint16Array(count);
    this.#ports = new Uint16Array(count);
    this.#addresses = Array<string>(count).fill('');
  }

  payload(message: number): number {
    return message * this.#stride;
  }

  prepare(message: number, length: number, { address, addressBytes, port }: Endpoint): void {
    this.#lengths[message] = length;
    this.#ports[message] = port;
    this.#addresses[message] = formatIp(address, addressBytes);
  }

  length(message: number): number {
    return this.#lengths[message] ?? 0;
  }

  port(message: number): number {
    return this.#ports[message] ?? 0;
  }

  address(message: number): string {
    return this.#addresses[message] ?? '';
  }
}
