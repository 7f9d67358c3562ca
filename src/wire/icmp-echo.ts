/**
 * ICMP echo probes, IPv4 (RFC 792), with a payload that identifies the probe and proves its integrity.
 *
 * ```text
 *    0  Type 8 or 0      1        8  Magic "PoPp"                4
 *    1  Code 0           1       12  Session: names the run      4
 *    2  Checksum         2       16  Path                        2
 *    4  Identifier       2       18  Balance                     2
 *    6  Sequence Number  2       20  Probe sequence              4
 *                                24  T1 seconds, nanoseconds     8
 *                                32  Fill: a pattern of the session
 * ```
 *
 * Balance makes the checksum the same for every probe: some routers choose the member of an ECMP group by the first
 * octets of the ICMP header, and a probe sequence that hops between members measures none of them.
 */

import type { Stamp } from '../base/units.ts';

export const ICMP_HEADER_BYTES = 8;
/** Octets of payload that the probe's own fields need. */
const ICMP_PAYLOAD_BYTES_MIN = 24;

const TYPE_ECHO_REPLY = 0;
const TYPE_ECHO_REQUEST = 8;
const MAGIC = 0x506f5070;
/** The checksum all our probes carry; any constant does. */
const CHECKSUM = 0x7070;

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

/** A blank probe for the decoder to fill again and again. */
export function blankEchoProbe(): EchoProbe {
  return { identifier: 0, session: 0, path: 0, sequence: 0, t1: { seconds: 0, nanoseconds: 0 } };
}

/** Writes an echo request of `ICMP_HEADER_BYTES + payloadBytes` octets at `offset`. */
export function encodeEchoRequest(view: DataView, offset: number, payloadBytes: number, probe: EchoProbe): void {
  view.setUint16(offset, TYPE_ECHO_REQUEST << 8);
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
  for (let at = 32; at < length; at += 1) view.setUint8(offset + at, fillOctet(probe.session, at));
  view.setUint16(offset + 18, ~onesComplementSum(view, offset, length) & 0xffff);
}

/**
 * Reads an echo reply of `length` octets at `offset` into `into`. 'foreign' is somebody else's echo or another run's;
 * 'corrupt' is ours, damaged: a raw socket also delivers messages whose checksum is wrong.
 */
export function decodeEchoReply(
  view: DataView,
  offset: number,
  length: number,
  session: number,
  into: EchoProbe,
): EchoDecoding {
  if (length < ICMP_HEADER_BYTES + ICMP_PAYLOAD_BYTES_MIN) return 'short';
  if (view.getUint16(offset) !== TYPE_ECHO_REPLY << 8) return 'not_reply';
  return readProbe(view, offset, length, session, into);
}

/** Reads an echo request quoted in an ICMP error; routers may quote no more than the first octets ('short'). */
export function decodeQuotedEcho(
  view: DataView,
  offset: number,
  length: number,
  session: number,
  into: EchoProbe,
): EchoDecoding {
  if (length < ICMP_HEADER_BYTES + ICMP_PAYLOAD_BYTES_MIN) return 'short';
  if (view.getUint8(offset) !== TYPE_ECHO_REQUEST) return 'not_reply';
  if (view.getUint32(offset + 8) !== MAGIC || view.getUint32(offset + 12) !== session) return 'foreign';
  readFields(view, offset, into);
  return 'ok';
}

function readProbe(view: DataView, offset: number, length: number, session: number, into: EchoProbe): EchoDecoding {
  if (view.getUint32(offset + 8) !== MAGIC || view.getUint32(offset + 12) !== session) return 'foreign';
  if (onesComplementSum(view, offset, length) !== 0xffff) return 'corrupt';
  readFields(view, offset, into);
  if ((into.sequence & 0xffff) !== view.getUint16(offset + 6)) return 'corrupt';
  for (let at = 32; at < length; at += 1) {
    if (view.getUint8(offset + at) !== fillOctet(session, at)) return 'corrupt';
  }
  return 'ok';
}

function readFields(view: DataView, offset: number, into: EchoProbe): void {
  into.identifier = view.getUint16(offset + 4);
  into.session = view.getUint32(offset + 12);
  into.path = view.getUint16(offset + 16);
  into.sequence = view.getUint32(offset + 20);
  into.t1.seconds = view.getUint32(offset + 24);
  into.t1.nanoseconds = view.getUint32(offset + 28);
}

/** A pattern without long runs of one bit, different at each place: shifted or overwritten octets show. */
function fillOctet(session: number, at: number): number {
  return (Math.imul(session ^ at, 0x9e3779b1) >>> 24) & 0xff;
}

/** The Internet checksum's sum, not yet complemented (RFC 1071); 0xffff over a message with a right checksum. */
function onesComplementSum(view: DataView, offset: number, length: number): number {
  let sum = 0;
  const even = length & ~1;
  for (let at = 0; at < even; at += 2) sum += view.getUint16(offset + at);
  if (length !== even) sum += view.getUint8(offset + even) << 8;
  sum = (sum & 0xffff) + (sum >>> 16);
  return (sum & 0xffff) + (sum >>> 16);
}
