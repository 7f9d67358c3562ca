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
export function writeSockaddr(view: DataView, offset: number, to: Endpoint): number {
  return to.addressBytes === IPV4_BYTES ? writeIpv4(view, offset, to) : writeIpv6(view, offset, to);
}

/** Reads the address at `offset` into `into`; an unknown family leaves it without an address. */
export function readSockaddr(view: DataView, offset: number, into: Endpoint): void {
  const family = view.getUint16(offset, true);
  into.port = view.getUint16(offset + LAYOUT.sockaddr_in.sin_port);
  into.addressBytes = 0;
  if (family === AF_INET) readIpv4(view, offset + LAYOUT.sockaddr_in.sin_addr, into);
  else if (family === AF_INET6) readIpv6(view, offset + LAYOUT.sockaddr_in6.sin6_addr, into);
}

/** By words, as below: this is done for every probe. */
function writeIpv4(view: DataView, offset: number, { address, port }: Endpoint): number {
  const { size, sin_port, sin_addr, sin_zero } = LAYOUT.sockaddr_in;
  const high = ((address[0] ?? 0) << 24) | ((address[1] ?? 0) << 16);
  view.setUint16(offset, AF_INET, true);
  view.setUint16(offset + sin_port, port);
  view.setUint32(offset + sin_addr, high | ((address[2] ?? 0) << 8) | (address[3] ?? 0));
  view.setUint32(offset + sin_zero, 0);
  view.setUint32(offset + sin_zero + 4, 0);
  return size;
}

function readIpv4(view: DataView, at: number, into: Endpoint): void {
  const word = view.getUint32(at);
  into.addressBytes = IPV4_BYTES;
  into.address[0] = word >>> 24;
  into.address[1] = word >>> 16;
  into.address[2] = word >>> 8;
  into.address[3] = word;
}

function writeIpv6(view: DataView, offset: number, { address, port }: Endpoint): number {
  const { size, sin6_port, sin6_addr } = LAYOUT.sockaddr_in6;
  for (let at = 0; at < size; at += 4) view.setUint32(offset + at, 0);
  view.setUint16(offset, AF_INET6, true);
  view.setUint16(offset + sin6_port, port);
  for (let octet = 0; octet < IPV6_BYTES; octet += 1) view.setUint8(offset + sin6_addr + octet, address[octet] ?? 0);
  return size;
}

function readIpv6(view: DataView, at: number, into: Endpoint): void {
  into.addressBytes = IPV6_BYTES;
  for (let octet = 0; octet < IPV6_BYTES; octet += 1) into.address[octet] = view.getUint8(at + octet);
}
