/**
 * Which echo request an ICMP message answers: the reply itself, or an error that quotes the request.
 *
 * ```text
 *   IPv4 (RFC 792), as a raw socket delivers it     IPv6 (RFC 4443), without its IP header
 *     IP header            4 * IHL                    Type, Code, Checksum      4
 *     Type, Code, Checksum       4                    Unused                    4
 *     Unused                     4                    quoted IPv6 header       40
 *     quoted IP header     4 * IHL                    quoted ICMPv6 header      8
 *     quoted ICMP header         8
 * ```
 *
 * Where a reply has its identifier and sequence number, an error has four octets of its own; those of the request are
 * found in the quotation (RFC 792: at least 64 bits of the datagram).
 */

/** An answer to an echo request, and the marks of that request. */
export interface IcmpAnswer {
  type: number;
  code: number;
  /** The destination's own reply; else an error, from wherever. */
  isReply: boolean;
  identifier: number;
  sequence: number;
}

/** What differs between the two versions of ICMP. */
interface Icmp {
  reply: number;
  request: number;
  answers: readonly number[];
}

/**
 * Types of ICMP messages that answer an echo request: reply, destination unreachable, time exceeded, parameter problem.
 * A redirect is none: the packet went on to its destination.
 */
export const ICMP_ANSWERS: readonly number[] = [0, 3, 11, 12];
/** Of ICMPv6: destination unreachable, packet too big, time exceeded, parameter problem, reply. */
export const ICMPV6_ANSWERS: readonly number[] = [1, 2, 3, 4, 129];

const ICMP: Icmp = { reply: 0, request: 8, answers: ICMP_ANSWERS };
const ICMPV6: Icmp = { reply: 129, request: 128, answers: ICMPV6_ANSWERS };

const HEADER_BYTES = 8;
const IPV4_HEADER_BYTES = 20;
const IPV4_PROTOCOL = 9;
const PROTOCOL_ICMP = 1;
const IPV6_HEADER_BYTES = 40;
const IPV6_NEXT_HEADER = 6;
const NEXT_HEADER_ICMPV6 = 58;

/** Reads an IPv4 packet. Returns null for everything that answers no echo request; no octets make it throw. */
export function readAnswerIpv4(packet: DataView): IcmpAnswer | null {
  return readAnswer(packet, afterIpv4Header(packet, 0), ICMP, afterIpv4Header);
}

/** Reads an ICMPv6 message. Returns null for everything that answers no echo request; no octets make it throw. */
export function readAnswerIpv6(message: DataView): IcmpAnswer | null {
  return readAnswer(message, 0, ICMPV6, afterIpv6Header);
}

function readAnswer(
  view: DataView,
  at: number | null,
  { reply, request, answers }: Icmp,
  afterHeader: (view: DataView, at: number) => number | null,
): IcmpAnswer | null {
  if (at === null || at + HEADER_BYTES > view.byteLength) return null;
  const type = view.getUint8(at);
  const code = view.getUint8(at + 1);
  if (!answers.includes(type)) return null;
  if (type === reply) return { type, code, isReply: true, ...marks(view, at) };
  const quoted = afterHeader(view, at + HEADER_BYTES);
  if (quoted === null || quoted + HEADER_BYTES > view.byteLength) return null;
  if (view.getUint8(quoted) !== request) return null;
  return { type, code, isReply: false, ...marks(view, quoted) };
}

function marks(view: DataView, at: number): { identifier: number; sequence: number } {
  return { identifier: view.getUint16(at + 4), sequence: view.getUint16(at + 6) };
}

/** Where the ICMP message begins in the IPv4 packet at `at`; null when there is none. */
function afterIpv4Header(view: DataView, at: number): number | null {
  if (at + IPV4_HEADER_BYTES > view.byteLength) return null;
  const versionAndLength = view.getUint8(at);
  const bytes = (versionAndLength & 0x0f) * 4;
  const isIcmp = versionAndLength >>> 4 === 4 && view.getUint8(at + IPV4_PROTOCOL) === PROTOCOL_ICMP;
  return isIcmp && bytes >= IPV4_HEADER_BYTES ? at + bytes : null;
}

/** Where the ICMPv6 message begins in the IPv6 packet at `at`; our requests have no extension headers. */
function afterIpv6Header(view: DataView, at: number): number | null {
  if (at + IPV6_HEADER_BYTES > view.byteLength) return null;
  const isIcmp = view.getUint8(at) >>> 4 === 6 && view.getUint8(at + IPV6_NEXT_HEADER) === NEXT_HEADER_ICMPV6;
  return isIcmp ? at + IPV6_HEADER_BYTES : null;
}
