/**
 * One IP packet as it comes out of a TUN device: what a router needs of its headers (RFC 791, RFC 8200 sections 3 and 4).
 *
 * ```text
 *   IPv4                                        IPv6
 *    0  Version 4, IHL         1                 0  Version 6, Traffic Class, Flow Label   4
 *    1  Type of Service        1                 4  Payload Length                         2
 *    2  Total Length           2                 6  Next Header                            1
 *    4  Identification         2                 7  Hop Limit                              1
 *    6  Flags, Fragment Offset 2                 8  Source Address                        16
 *    8  Time to Live           1                24  Destination Address                   16
 *    9  Protocol               1                40  extension headers: Next Header 1, Length 1, ...
 *   10  Header Checksum        2
 *   12  Source Address         4
 *   16  Destination Address    4
 *   20  Options
 * ```
 */

import { IPV4_BYTES, IPV6_BYTES } from '../base/ip-address.ts';
import { ICMP_FAMILY } from './icmp-message.ts';
import { onesComplementSum, updatedChecksum } from './ip-checksum.ts';

/** Protocol numbers that this folder looks into. */
export const IP_PROTOCOLS = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
/** The protocol of a packet that is only part of one (255 is reserved). */
export const PROTOCOL_FRAGMENT = 255;

const IPV4_HEADER_BYTES_MIN = 20;
const IPV6_HEADER_BYTES = 40;
/** An extension header is as long at least, and says in its second octet how many times longer it is. */
const EXTENSION_BYTES = 8;
const DONT_FRAGMENT = 0x4000;
/** More Fragments, and the fragment's place: a whole packet has neither. */
const FRAGMENT_BITS = 0x3fff;
/** IPv6 Next Header numbers. */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;

/** One packet's header fields. All offsets count from the start of the view. */
export interface IpPacket {
  family: 4 | 6;
  offset: number;
  /** Octets before the payload: IPv4 options and those IPv6 extension headers that were skipped are among them. */
  headerBytes: number;
  /** Octets of the whole packet; a read may have brought more. */
  totalBytes: number;
  /** Of the first header that is no extension header of the kinds that are skipped; `PROTOCOL_FRAGMENT` for a fragment. */
  protocol: number;
  /** Time to Live, or Hop Limit. */
  ttl: number;
  /** Always true of IPv6, whose routers never fragment. */
  dontFragment: boolean;
  sourceOffset: number;
  destinationOffset: number;
  addressBytes: 4 | 16;
  payloadOffset: number;
  payloadBytes: number;
  /** UDP and TCP ports; for an ICMP echo message its identifier in both; else 0. */
  sourcePort: number;
  destinationPort: number;
}

/**
 * What the parser can answer. 'short': the packet is longer than what was read. 'bad_header': a length that cannot be, or a
 * wrong header checksum.
 */
export type IpParsing = 'ok' | 'short' | 'not_ip' | 'bad_header';

/** A blank packet for the parser to fill again and again. */
export function blankIpPacket(): IpPacket {
  return {
    family: 4,
    offset: 0,
    headerBytes: 0,
    totalBytes: 0,
    protocol: PROTOCOL_FRAGMENT,
    ttl: 0,
    dontFragment: false,
    sourceOffset: 0,
    destinationOffset: 0,
    addressBytes: IPV4_BYTES,
    payloadOffset: 0,
    payloadBytes: 0,
    sourcePort: 0,
    destinationPort: 0,
  };
}

/**
 * Reads the headers of the packet at `offset`, of which `length` octets were read. Unless it says 'ok', `into` means
 * nothing. No octets make it throw.
 */
export function parseIpPacket(view: DataView, offset: number, length: number, into: IpPacket): IpParsing {
  if (length < 1) return 'short';
  into.offset = offset;
  const version = view.getUint8(offset) >>> 4;
  if (version !== 4 && version !== 6) return 'not_ip';
  const parsing = version === 4 ? parseIpv4(view, length, into) : parseIpv6(view, length, into);
  if (parsing === 'ok') readPorts(view, into);
  return parsing;
}

/** Takes `hops` from the Time to Live, which is larger, and corrects the checksum over it. */
export function takeHops(view: DataView, packet: IpPacket, hops: number): void {
  packet.ttl -= hops;
  setTtl(view, packet.offset, packet.ttl);
}

/** Sets the Time to Live or Hop Limit of the packet at `offset`, and corrects the checksum over it. */
export function setTtl(view: DataView, offset: number, ttl: number): void {
  if (view.getUint8(offset) >>> 4 === 6) {
    view.setUint8(offset + 7, ttl);
    return;
  }
  const before = view.getUint16(offset + 8);
  view.setUint8(offset + 8, ttl);
  const checksum = updatedChecksum(view.getUint16(offset + 10), before, view.getUint16(offset + 8));
  view.setUint16(offset + 10, checksum);
}

function parseIpv4(view: DataView, length: number, into: IpPacket): IpParsing {
  const { offset } = into;
  if (length < IPV4_HEADER_BYTES_MIN) return 'short';
  const headerBytes = (view.getUint8(offset) & 0x0f) * 4;
  const totalBytes = view.getUint16(offset + 2);
  if (headerBytes < IPV4_HEADER_BYTES_MIN || totalBytes < headerBytes) return 'bad_header';
  if (totalBytes > length) return 'short';
  if (onesComplementSum(view, offset, headerBytes) !== 0xffff) return 'bad_header';
  const fragmentation = view.getUint16(offset + 6);
  into.family = 4;
  into.protocol = (fragmentation & FRAGMENT_BITS) === 0 ? view.getUint8(offset + 9) : PROTOCOL_FRAGMENT;
  into.ttl = view.getUint8(offset + 8);
  into.dontFragment = (fragmentation & DONT_FRAGMENT) !== 0;
  into.addressBytes = IPV4_BYTES;
  into.sourceOffset = offset + 12;
  into.destinationOffset = offset + 16;
  setLengths(into, headerBytes, totalBytes);
  return 'ok';
}

function parseIpv6(view: DataView, length: number, into: IpPacket): IpParsing {
  const { offset } = into;
  if (length < IPV6_HEADER_BYTES) return 'short';
  const totalBytes = IPV6_HEADER_BYTES + view.getUint16(offset + 4);
  if (totalBytes > length) return 'short';
  let headerBytes = IPV6_HEADER_BYTES;
  let next = view.getUint8(offset + 6);
  while (next === HOP_BY_HOP || next === ROUTING || next === DESTINATION_OPTIONS) {
    if (headerBytes + EXTENSION_BYTES > totalBytes) return 'bad_header';
    next = view.getUint8(offset + headerBytes);
    headerBytes += EXTENSION_BYTES * (1 + view.getUint8(offset + headerBytes + 1));
  }
  if (headerBytes > totalBytes) return 'bad_header';
  into.family = 6;
  into.protocol = next === FRAGMENT ? PROTOCOL_FRAGMENT : next;
  into.ttl = view.getUint8(offset + 7);
  into.dontFragment = true;
  into.addressBytes = IPV6_BYTES;
  into.sourceOffset = offset + 8;
  into.destinationOffset = offset + 24;
  setLengths(into, headerBytes, totalBytes);
  return 'ok';
}

function setLengths(into: IpPacket, headerBytes: number, totalBytes: number): void {
  into.headerBytes = headerBytes;
  into.totalBytes = totalBytes;
  into.payloadOffset = into.offset + headerBytes;
  into.payloadBytes = totalBytes - headerBytes;
}

/** What tells one flow from another beside the addresses. */
function readPorts(view: DataView, into: IpPacket): void {
  const { protocol, payloadOffset: at, payloadBytes: bytes } = into;
  into.sourcePort = 0;
  into.destinationPort = 0;
  if ((protocol === IP_PROTOCOLS.udp || protocol === IP_PROTOCOLS.tcp) && bytes >= 4) {
    into.sourcePort = view.getUint16(at);
    into.destinationPort = view.getUint16(at + 2);
  } else if (bytes >= 8 && isEcho(view, into)) {
    into.sourcePort = view.getUint16(at + 4);
    into.destinationPort = into.sourcePort;
  }
}

function isEcho(view: DataView, { family, protocol, payloadOffset }: IpPacket): boolean {
  const icmp = family === 4 ? ICMP_FAMILY.ipv4 : ICMP_FAMILY.ipv6;
  if (protocol !== icmp.protocol) return false;
  const type = view.getUint8(payloadOffset);
  return type === icmp.request || type === icmp.reply;
}
