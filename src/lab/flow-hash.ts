/** What routers do with a packet's addresses and ports to choose a member of an ECMP group. */

import { mix32 } from './mix32.ts';

/** FNV-1a, 32 bits. */
const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

/**
 * A 32-bit hash over the five-tuple: FNV-1a over the octets of both addresses, the protocol and the ports, big-endian, then
 * mixed so that all bits are equally good. `addressesBytes` is that of both: 8 or 32. For ICMP echo both ports are the
 * identifier: type, checksum and sequence stay out, so that the probes of a path stay on a member.
 */
export function flowHash(
  view: DataView,
  addressesOffset: number,
  addressesBytes: number,
  protocol: number,
  sourcePort: number,
  destinationPort: number,
): number {
  let hash = HASH_START;
  for (let at = 0; at < addressesBytes; at += 1) hash = withOctet(hash, view.getUint8(addressesOffset + at));
  hash = withOctet(hash, protocol);
  hash = withOctet(withOctet(hash, sourcePort >>> 8), sourcePort & 0xff);
  hash = withOctet(withOctet(hash, destinationPort >>> 8), destinationPort & 0xff);
  return mix32(hash);
}

function withOctet(hash: number, octet: number): number {
  return Math.imul(hash ^ octet, HASH_PRIME);
}

/** Which of `members` a flow takes, from 0: the hash as a fraction of the whole range, so that its high bits decide. */
export function memberOf(hash: number, members: number): number {
  return Math.floor(((hash >>> 0) * members) / 2 ** 32);
}
