/**
 * Sorts what a raw ICMP socket receives: an echo reply, an error that quotes an echo request, or nothing of ours.
 *
 * ```text
 *    echo reply         error (RFC 792, RFC 4443 section 3)
 *    0  Type 0; 129     0  Type 3, 11, 12; 1, 2, 3, 4
 *    1  Code 0          1  Code
 *    2  Checksum        2  Checksum
 *    4  Identifier      4  depends on the type
 *    6  Sequence        8  the packet it is about, from its IP header on
 * ```
 */

import type { IpFamily } from '../base/ip-address.ts';

const HEADER_BYTES = 8;
const IPV4_HEADER_BYTES_MIN = 20;
const IPV6_HEADER_BYTES = 40;

interface Family {
  request: number;
  reply: number;
  errors: readonly number[];
  protocol: number;
}

/** ICMP types of a family, and its protocol number. Packet Too Big is an error of its own in IPv6, a code of 3 in IPv4. */
export const ICMP_FAMILY: Readonly<Record<IpFamily, Family>> = {
  ipv4: { request: 8, reply: 0, errors: [3, 11, 12], protocol: 1 },
  ipv6: { request: 128, reply: 129, errors: [1, 2, 3, 4], protocol: 58 },
};

/** Where what counts of a message lies. `destination` is where the quoted packet was going, empty for a reply. */
export interface IcmpMessage {
  kind: 'reply' | 'error' | 'other';
  type: number;
  code: number;
  /** Begin of the echo message, from its ICMP header on; it reaches to the end. */
  offset: number;
  destination: Uint8Array;
  /** Of the outermost IP header; -1 where there is none. */
  ttl: number;
  tos: number;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Sorts a message of a raw socket; IPv4 ones begin with their IP header. Any octets get an answer, none throws. */
export function sortIcmp(octets: Uint8Array, family: IpFamily, identifier: number): IcmpMessage {
  const isIpv4 = family === 'ipv4';
  const at = isIpv4 ? headerBytes(octets, 0) : 0;
  const [ttl, tos] = isIpv4 ? [octets[8] ?? -1, octets[1] ?? -1] : [-1, -1];
  const type = octets[at] ?? -1;
  const message: IcmpMessage = {
    kind: 'other',
    type,
    code: octets[at + 1] ?? 0,
    offset: at,
    destination: NOTHING,
    ttl,
    tos,
  };
  const { reply, errors } = ICMP_FAMILY[family];
  if (type === reply && isOurs(octets, at, identifier)) message.kind = 'reply';
  else if (errors.includes(type)) readQuote(octets, at + HEADER_BYTES, family, identifier, message);
  return message;
}

function readQuote(octets: Uint8Array, at: number, family: IpFamily, identifier: number, into: IcmpMessage): void {
  const isIpv4 = family === 'ipv4';
  const { request, protocol } = ICMP_FAMILY[family];
  const inner = at + (isIpv4 ? headerBytes(octets, at) : IPV6_HEADER_BYTES);
  // The protocol, or the IPv6 next header.
  if (octets[at + (isIpv4 ? 9 : 6)] !== protocol || octets[inner] !== request) return;
  if (!isOurs(octets, inner, identifier)) return;
  into.kind = 'error';
  into.offset = inner;
  into.destination = isIpv4 ? octets.subarray(at + 16, at + 20) : octets.subarray(at + 24, at + IPV6_HEADER_BYTES);
}

function isOurs(octets: Uint8Array, at: number, identifier: number): boolean {
  return (
    octets.length >= at + HEADER_BYTES && octets[at + 4] === identifier >> 8 && octets[at + 5] === (identifier & 255)
  );
}

/** Length of the IPv4 header, by its own word. */
function headerBytes(octets: Uint8Array, at: number): number {
  return Math.max(IPV4_HEADER_BYTES_MIN, ((octets[at] ?? 0) & 15) * 4);
}
