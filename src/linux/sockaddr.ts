/** Socket addresses as the kernel lays them out: sockaddr_in for IPv4, sockaddr_in6 for IPv6. */

import { type IpAddress, IPV4_BYTES, IPV6_BYTES } from '../base/ip-address.ts';
import { AF_INET, AF_INET6, LAYOUT } from './constants.ts';

/** Room for a sockaddr of either family, aligned. */
export const SOCKADDR_BYTES_MAX = 32;

/** An address and port that is filled again and again. */
export interface Endpoint {
  /** Up to 16 octets, of which the first `addressBytes` count; 0 octets when there was no address. */
  readonly address: Uint8Array;
  addressBytes: number;
  port: number;
}

/** A blank endpoint for `readSockaddr` to fill. */
export function blankEndpoint(): Endpoint {
  return { address: new Uint8Array(IPV6_BYTES), addressBytes: 0, port: 0 };
}

export function endpointOf(address: IpAddress, port: number): Endpoint {
  return { address, addressBytes: address.length, port };
}

/** Writes the address at `offset`; returns the length of the structure. Flow label and scope are left to the kernel. */
export function writeSockaddr(view: DataView, offset: number, { address, addressBytes, port }: Endpoint): number {
  const isIpv4 = addressBytes === IPV4_BYTES;
  const { size } = isIpv4 ? LAYOUT.sockaddr_in : LAYOUT.sockaddr_in6;
  for (let at = 0; at < size; at += 4) view.setUint32(offset + at, 0);
  view.setUint16(offset, isIpv4 ? AF_INET : AF_INET6, true);
  view.setUint16(offset + LAYOUT.sockaddr_in.sin_port, port);
  const start = offset + (isIpv4 ? LAYOUT.sockaddr_in.sin_addr : LAYOUT.sockaddr_in6.sin6_addr);
  for (let at = 0; at < addressBytes; at += 1) view.setUint8(start + at, address[at] ?? 0);
  return size;
}

/** Reads the address at `offset` into `into`; an unknown family leaves it without an address. */
export function readSockaddr(view: DataView, offset: number, into: Endpoint): void {
  const family = view.getUint16(offset, true);
  const isIpv6 = family === AF_INET6;
  const bytes = isIpv6 ? IPV6_BYTES : IPV4_BYTES;
  into.addressBytes = isIpv6 || family === AF_INET ? bytes : 0;
  into.port = view.getUint16(offset + LAYOUT.sockaddr_in.sin_port);
  const start = offset + (isIpv6 ? LAYOUT.sockaddr_in6.sin6_addr : LAYOUT.sockaddr_in.sin_addr);
  for (let at = 0; at < into.addressBytes; at += 1) into.address[at] = view.getUint8(start + at);
}
