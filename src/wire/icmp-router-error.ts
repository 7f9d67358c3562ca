/**
 * What a router answers when it does not forward a packet: a whole IP packet to its source, quoting it.
 *
 * ```text
 *   IPv4 (RFC 792, RFC 1812 section 4.3)          IPv6 (RFC 4443 sections 2 and 3)
 *    0  IP header                     20           0  IP header                     40
 *   20  Type 11 Code 0; 3, 4           2          40  Type 3 Code 0; 2, 0            2
 *   22  Checksum                       2          42  Checksum, with pseudo-header   2
 *   24  0; with 3, 4: 0, MTU           2 + 2      44  0; with 2, 0: MTU              4
 *   28  the packet, to 576 in all                 48  the packet, to 1280 in all
 * ```
 */

import { onesComplementSum } from './ip-checksum.ts';
import { type IpPacket, IP_PROTOCOLS, PROTOCOL_FRAGMENT, setTtl } from './ip-packet.ts';

/** How the two families' errors differ: where things are in them, types with their codes, and how long they may become. */
interface Family {
  icmpAt: number;
  quoteAt: number;
  bytesMax: number;
  timeExceeded: number;
  tooBig: number;
  /** In the quoted header. */
  sourceAt: number;
  addressBytes: number;
}

const ICMP: Family = {
  icmpAt: 20,
  quoteAt: 28,
  bytesMax: 576,
  timeExceeded: 0x0b00,
  tooBig: 0x0304,
  sourceAt: 12,
  addressBytes: 4,
};
const ICMPV6: Family = {
  icmpAt: 40,
  quoteAt: 48,
  bytesMax: 1280,
  timeExceeded: 0x0300,
  tooBig: 0x0200,
  sourceAt: 8,
  addressBytes: 16,
};

const TTL = 64;
/** Precedence 6, internetwork control, is what routers' errors have (RFC 1812 section 4.3.2.5). */
const TYPE_OF_SERVICE = 0xc0;
const DONT_FRAGMENT = 0x4000;
const NEXT_HOP_MTU_MAX = 0xffff;

/** Octets that an error takes at most. */
export const ROUTER_ERROR_BYTES_MAX = ICMPV6.bytesMax;

/** The fragment header: Next Header, Reserved, then 13 bits of offset (RFC 8200 section 4.5). */
const FRAGMENT_HEADER_BYTES = 8;
const IPV4_FRAGMENT_OFFSET = 0x1fff;
const IPV6_FRAGMENT_OFFSET = 0xfff8;
/** Destination unreachable, source quench, redirect, time exceeded, parameter problem (RFC 1122 section 3.2.2). */
const ICMP_ERRORS: readonly number[] = [3, 4, 5, 11, 12];
/** Types below are errors (RFC 4443 section 2.1); a redirect counts as one (section 2.4 e.2). */
const ICMPV6_INFORMATIONAL = 128;
const ICMPV6_REDIRECT = 137;
const LOOPBACK = 127;
/** IPv4 addresses from here on are groups, reserved and broadcast. */
const IPV4_MULTICAST = 224;
const IPV6_MULTICAST = 0xff;

/**
 * Writes what the router at address `router`, of the packet's family, sends to the packet's source when the packet's hops
 * are used up. Returns its octets, `ROUTER_ERROR_BYTES_MAX` at most; 0 when the packet must not be answered. The packet is
 * quoted with one hop left, as it came to that router: it is returned as it was received (RFC 1812 section 4.3.2.3), and a
 * router that sees that nothing would be left need not count down first.
 */
export function writeTimeExceeded(
  out: DataView,
  outOffset: number,
  router: Uint8Array,
  view: DataView,
  packet: IpPacket,
): number {
  const family = packet.family === 4 ? ICMP : ICMPV6;
  const bytes = quote(out, outOffset, view, packet);
  if (bytes === 0) return 0;
  setTtl(out, outOffset + family.quoteAt, Math.min(packet.ttl, 1));
  out.setUint32(outOffset + family.icmpAt, family.timeExceeded << 16);
  out.setUint32(outOffset + family.icmpAt + 4, 0);
  seal(out, outOffset, router, family, bytes);
  return bytes;
}

/**
 * Writes what the router sends when the packet is larger than `mtuBytes` of the next link: fragmentation needed (RFC 1191
 * section 4) or packet too big (RFC 4443 section 3.2). Whether the packet may not be fragmented has been asked before; all
 * else is as in `writeTimeExceeded`, except that the packet is quoted as it stands.
 */
export function writeTooBig(
  out: DataView,
  outOffset: number,
  router: Uint8Array,
  view: DataView,
  packet: IpPacket,
  mtuBytes: number,
): number {
  const family = packet.family === 4 ? ICMP : ICMPV6;
  const bytes = quote(out, outOffset, view, packet);
  if (bytes === 0) return 0;
  out.setUint32(outOffset + family.icmpAt, family.tooBig << 16);
  out.setUint32(outOffset + family.icmpAt + 4, packet.family === 4 ? Math.min(mtuBytes, NEXT_HOP_MTU_MAX) : mtuBytes);
  seal(out, outOffset, router, family, bytes);
  return bytes;
}

/** Copies as much of the packet as fits to its place behind the error's headers; returns the error's octets, or 0. */
function quote(out: DataView, outOffset: number, view: DataView, packet: IpPacket): number {
  const { quoteAt, bytesMax } = packet.family === 4 ? ICMP : ICMPV6;
  const mayBeAnswered = packet.family === 4 ? mayAnswerIpv4(view, packet) : mayAnswerIpv6(view, packet);
  if (!mayBeAnswered) return 0;
  const bytes = Math.min(packet.totalBytes, bytesMax - quoteAt);
  for (let at = 0; at < bytes; at += 1) out.setUint8(outOffset + quoteAt + at, view.getUint8(packet.offset + at));
  return quoteAt + bytes;
}

/** Writes the IP header, to the source of the quoted packet, and the checksums. */
function seal(out: DataView, outOffset: number, router: Uint8Array, family: Family, bytes: number): void {
  const { icmpAt, quoteAt, sourceAt, addressBytes } = family;
  // The last field of both headers is the destination, the one before it the source.
  const from = outOffset + icmpAt - 2 * addressBytes;
  for (let at = 0; at < addressBytes; at += 1) {
    out.setUint8(from + at, router[at] ?? 0);
    out.setUint8(from + addressBytes + at, out.getUint8(outOffset + quoteAt + sourceAt + at));
  }
  const isIpv4 = family === ICMP;
  if (isIpv4) writeIpv4Fields(out, outOffset, bytes);
  else writeIpv6Fields(out, outOffset, bytes);
  const icmpBytes = bytes - icmpAt;
  // RFC 8200 section 8.1: the ICMPv6 checksum also covers both addresses, the length and the next header.
  const pseudo = isIpv4 ? 0 : onesComplementSum(out, from, 2 * addressBytes, icmpBytes + IP_PROTOCOLS.icmpv6);
  const sum = onesComplementSum(out, outOffset + icmpAt, icmpBytes, pseudo);
  out.setUint16(outOffset + icmpAt + 2, ~sum & 0xffff);
}

function writeIpv4Fields(out: DataView, offset: number, bytes: number): void {
  out.setUint16(offset, 0x4500 | TYPE_OF_SERVICE);
  out.setUint16(offset + 2, bytes);
  // A packet that is never fragmented needs no identification (RFC 6864 section 4.1).
  out.setUint16(offset + 4, 0);
  out.setUint16(offset + 6, DONT_FRAGMENT);
  out.setUint16(offset + 8, (TTL << 8) | IP_PROTOCOLS.icmp);
  out.setUint16(offset + 10, 0);
  out.setUint16(offset + 10, ~onesComplementSum(out, offset, ICMP.icmpAt) & 0xffff);
}

function writeIpv6Fields(out: DataView, offset: number, bytes: number): void {
  out.setUint32(offset, 0x60000000);
  out.setUint16(offset + 4, bytes - ICMPV6.icmpAt);
  out.setUint16(offset + 6, (IP_PROTOCOLS.icmpv6 << 8) | TTL);
}

/** RFC 1812 section 4.3.2.7: nothing is said about errors, later fragments, and what comes from or goes to no single host. */
function mayAnswerIpv4(view: DataView, packet: IpPacket): boolean {
  const { offset, payloadOffset, payloadBytes } = packet;
  if ((view.getUint16(offset + 6) & IPV4_FRAGMENT_OFFSET) !== 0) return false;
  const source = view.getUint8(packet.sourceOffset);
  if (source === 0 || source === LOOPBACK || source >= IPV4_MULTICAST) return false;
  if (view.getUint8(packet.destinationOffset) >= IPV4_MULTICAST) return false;
  // A first fragment has its protocol in the header only.
  if (view.getUint8(offset + 9) !== IP_PROTOCOLS.icmp) return true;
  return payloadBytes > 0 && !ICMP_ERRORS.includes(view.getUint8(payloadOffset));
}

/** RFC 4443 section 2.4 (e), and no exception for groups. */
function mayAnswerIpv6(view: DataView, packet: IpPacket): boolean {
  if (view.getUint8(packet.sourceOffset) === IPV6_MULTICAST || isUnspecified(view, packet.sourceOffset)) return false;
  if (view.getUint8(packet.destinationOffset) === IPV6_MULTICAST) return false;
  let { protocol, payloadOffset: at, payloadBytes: bytes } = packet;
  if (protocol === PROTOCOL_FRAGMENT) {
    if (bytes < FRAGMENT_HEADER_BYTES || (view.getUint16(at + 2) & IPV6_FRAGMENT_OFFSET) !== 0) return false;
    protocol = view.getUint8(at);
    at += FRAGMENT_HEADER_BYTES;
    bytes -= FRAGMENT_HEADER_BYTES;
  }
  if (protocol !== IP_PROTOCOLS.icmpv6) return true;
  if (bytes === 0) return false;
  const type = view.getUint8(at);
  return type >= ICMPV6_INFORMATIONAL && type !== ICMPV6_REDIRECT;
}

function isUnspecified(view: DataView, at: number): boolean {
  return (view.getUint32(at) | view.getUint32(at + 4) | view.getUint32(at + 8) | view.getUint32(at + 12)) === 0;
}
