/**
 * ICMP echo probes, IPv4 (RFC 792) and IPv6 (RFC 4443 section 4), with a payload that identifies the probe and proves its
 * integrity.
 *
 * ```text
 *    0  Type 8 or 0;         1        8  Magic "PoPp"                4
 *       IPv6: 128 or 129             12  Session: names the run      4
 *    1  Code 0               1       16  Path                        2
 *    2  Checksum             2       18  Balance                     2
 *    4  Identifier           2       20  Probe sequence              4
 *    6  Sequence Number      2       24  T1 seconds, nanoseconds     8
 *                                    32  Fill: a pattern of the session
 * ```
 *
 * Balance makes the checksum the same for every probe: some routers choose the member of an ECMP group by the first
 * octets of the ICMP header, and a probe sequence that hops between members measures none of them.
 *
 * With IPv6 the checksum also covers both addresses and the length, and the kernel of a raw ICMPv6 socket always computes
 * and verifies it (RFC 3542 section 3.1). The codec leaves it zero and balances the rest of the message to the same sum
 * all the same. What the kernel adds is constant for a pair of addresses and a size, so the checksum on the wire is the
 * same for every probe of a path here too; and the balance tells a damaged reply without knowing the addresses.
 */

import type { IpFamily } from '../base/ip-address.ts';
import type { Stamp } from '../base/units.ts';
import { onesComplementSum } from './ip-checksum.ts';

export const ICMP_HEADER_BYTES = 8;
/** Octets of payload that the probe's own fields need. */
const ICMP_PAYLOAD_BYTES_MIN = 24;
/** Octets of a message in front of the fill. */
const MARKS_BYTES = ICMP_HEADER_BYTES + ICMP_PAYLOAD_BYTES_MIN;
/** Octets of a message up to and including the probe sequence: enough to know which probe is quoted. */
const QUOTE_BYTES_MIN = 24;

const TYPES = { ipv4: { request: 8, reply: 0 }, ipv6: { request: 128, reply: 129 } } as const;
const MAGIC = 0x506f5070;
/** The checksum all our IPv4 probes carry, and what the rest of an IPv6 one is balanced against; any constant does. */
const CHECKSUM = 0x7070;

/** Where a probe of either family and direction has what names it, and T1. */
export const ECHO_MARKS = { sessionAt: 12, pathAt: 16, sequenceAt: 20, stampAt: 24 } as const;

/** The fields of an echo probe. */
export interface EchoProbe {
  identifier: number;
  session: number;
  path: number;
  sequence: number;
  t1: Stamp;
}

/** What the decoder can answer; no bytes make it throw. */
export type EchoDecoding = 'ok' | 'short' | 'not_reply' | 'foreign' | 'corrupt';

/**
 * What a quotation can answer. 'header': too little was quoted to tell whose it is; identifier and the low 16 bits of the
 * sequence are all there is.
 */
export type EchoQuoteDecoding = 'ok' | 'header' | 'short' | 'not_request' | 'foreign';

/** Whether an echo message of `length` octets at `offset`, request or reply, has the payload of any run's probe. */
export function isEchoProbe(view: DataView, offset: number, length: number): boolean {
  return length >= ICMP_HEADER_BYTES + ICMP_PAYLOAD_BYTES_MIN && view.getUint32(offset + 8) === MAGIC;
}

/** A blank probe for the decoder to fill again and again. */
export function blankEchoProbe(): EchoProbe {
  return { identifier: 0, session: 0, path: 0, sequence: 0, t1: { seconds: 0, nanoseconds: 0 } };
}

/** Writes an echo request of `ICMP_HEADER_BYTES + payloadBytes` octets at `offset`. */
export function encodeEchoRequest(
  view: DataView,
  offset: number,
  payloadBytes: number,
  probe: EchoProbe,
  family: IpFamily = 'ipv4',
): void {
  view.setUint16(offset, TYPES[family].request << 8);
  view.setUint16(offset + 2, CHECKSUM);
  view.setUint16(offset + 4, probe.identifier);
  view.setUint16(offset + 6, probe.sequence & 0xffff);
  view.setUint32(offset + 8, MAGIC);
  view.setUint32(offset + 12, probe.session);
  view.setUint16(offset + 16, probe.path);
  view.setUint16(offset + 18, 0);
  view.setUint32(offset + 20, probe.sequence);
  view.setUint32(offset + 24, probe.t1.seconds);
  view.setUint32(offset + 28, probe.t1.nanoseconds);
  const length = ICMP_HEADER_BYTES + payloadBytes;
  const fillSum = writeFill(view, offset, length, probe.session);
  view.setUint16(offset + 18, ~onesComplementSum(view, offset, MARKS_BYTES, fillSum) & 0xffff);
  if (family === 'ipv6') view.setUint16(offset + 2, 0);
}

/**
 * Reads an echo reply of `length` octets at `offset` into `into`. 'foreign' is somebody else's echo or another run's;
 * 'corrupt' is ours, damaged: a raw IPv4 socket also delivers messages whose checksum is wrong. What `into` then says is as
 * it arrived, damage included: good for asking whose reply it may have been, and for nothing else.
 */
export function decodeEchoReply(
  view: DataView,
  offset: number,
  length: number,
  session: number,
  into: EchoProbe,
  family: IpFamily = 'ipv4',
): EchoDecoding {
  if (length < ICMP_HEADER_BYTES + ICMP_PAYLOAD_BYTES_MIN) return 'short';
  if (view.getUint16(offset) !== TYPES[family].reply << 8) return 'not_reply';
  if (!isOurs(view, offset, session)) return 'foreign';
  readProbe(view, offset, session, into);
  const fillSum = sumOfFill(view, offset, length, session);
  if (fillSum < 0 || (into.sequence & 0xffff) !== view.getUint16(offset + 6)) return 'corrupt';
  const sum =
    family === 'ipv4' ? onesComplementSum(view, offset, MARKS_BYTES, fillSum) : balancedSum(view, offset, fillSum);
  return sum === 0xffff ? 'ok' : 'corrupt';
}

/**
 * Reads an echo request quoted in an ICMP error. A router may quote no more than the header (RFC 792 asks for 8 octets);
 * what was not quoted is zero in `into`.
 */
export function decodeQuotedEcho(
  view: DataView,
  offset: number,
  length: number,
  session: number,
  into: EchoProbe,
  family: IpFamily = 'ipv4',
): EchoQuoteDecoding {
  if (length < ICMP_HEADER_BYTES) return 'short';
  if (view.getUint8(offset) !== TYPES[family].request) return 'not_request';
  const whole = length >= QUOTE_BYTES_MIN;
  if (whole && !isOurs(view, offset, session)) return 'foreign';
  const stamped = length >= ICMP_HEADER_BYTES + ICMP_PAYLOAD_BYTES_MIN;
  into.identifier = view.getUint16(offset + 4);
  into.session = whole ? session : 0;
  into.path = whole ? view.getUint16(offset + 16) : 0;
  into.sequence = whole ? view.getUint32(offset + 20) : view.getUint16(offset + 6);
  into.t1.seconds = stamped ? view.getUint32(offset + 24) : 0;
  into.t1.nanoseconds = stamped ? view.getUint32(offset + 28) : 0;
  return whole ? 'ok' : 'header';
}

function isOurs(view: DataView, offset: number, session: number): boolean {
  return view.getUint32(offset + 8) === MAGIC && view.getUint32(offset + 12) === session;
}

function readProbe(view: DataView, offset: number, session: number, into: EchoProbe): void {
  into.identifier = view.getUint16(offset + 4);
  into.session = session;
  into.path = view.getUint16(offset + 16);
  into.sequence = view.getUint32(offset + 20);
  into.t1.seconds = view.getUint32(offset + 24);
  into.t1.nanoseconds = view.getUint32(offset + 28);
}

/** Writes the octets behind the marks; returns the sum of their 16-bit words, not folded. */
function writeFill(view: DataView, offset: number, length: number, session: number): number {
  let sum = 0;
  let at = MARKS_BYTES;
  for (; at + 4 <= length; at += 4) {
    const word = fillWord(session, at);
    view.setUint32(offset + at, word);
    sum += (word >>> 16) + (word & 0xffff);
  }
  for (; at < length; at += 1) {
    const octet = fillOctet(session, at);
    view.setUint8(offset + at, octet);
    sum += octetInSum(octet, at);
  }
  return sum;
}

/** The sum of 16-bit words of the octets behind the marks, not folded; -1 unless all are those that were sent. */
function sumOfFill(view: DataView, offset: number, length: number, session: number): number {
  let sum = 0;
  let at = MARKS_BYTES;
  for (; at + 4 <= length; at += 4) {
    const word = fillWord(session, at);
    if (view.getUint32(offset + at) !== word >>> 0) return -1;
    sum += (word >>> 16) + (word & 0xffff);
  }
  for (; at < length; at += 1) {
    const octet = fillOctet(session, at);
    if (view.getUint8(offset + at) !== octet) return -1;
    sum += octetInSum(octet, at);
  }
  return sum;
}

/** A pattern without long runs of one bit, different at each place: shifted or overwritten octets show. */
function fillWord(session: number, at: number): number {
  return Math.imul(session ^ at, 0x9e3779b1);
}

/** The octets of a word that the message has no room for as a whole. */
function fillOctet(session: number, at: number): number {
  return (fillWord(session, at & ~3) >>> (24 - 8 * (at & 3))) & 0xff;
}

/** What an octet adds to the sum of 16-bit words. */
function octetInSum(octet: number, at: number): number {
  return at % 2 === 0 ? octet << 8 : octet;
}

/** The sum of an IPv6 reply as if it were still the request that was balanced: 0xffff when nothing has changed on the way. */
function balancedSum(view: DataView, offset: number, fillSum: number): number {
  return onesComplementSum(view, offset + 4, MARKS_BYTES - 4, (TYPES.ipv6.request << 8) + CHECKSUM + fillSum);
}
