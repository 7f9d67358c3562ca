/**
 * Makes a host's clock look wrong to its peers: moves its timestamps in the STAMP packets that are under way.
 *
 * ```text
 *   request of A to B    T1                      + A's offset
 *   reply of B to A      T2, T3, Follow-Up       + B's offset
 *                        copy of T1              - A's offset: A finds the octets that it sent
 * ```
 *
 * An offset becomes a number of the timestamp's own format, NTP (RFC 8877 section 4.2.1) or truncated PTP (section 4.3), and
 * is added to all its bits, so that taking it away again leaves none of them changed.
 */

import { NS_PER_S } from '../base/units.ts';
import { isPtpFormat } from './error-estimate.ts';
import { onesComplementSum } from './ip-checksum.ts';
import type { IpPacket } from './ip-packet.ts';
import { ntpFraction } from './ntp-time.ts';
import { PROBE_KIND, PROBE_ROLE, type ProbeMark } from './probe-mark.ts';
import { STAMP_BASE_BYTES } from './stamp.ts';
import { FLAG_M, TLV_HEADER_BYTES, TLV_TYPES, tlvEnd } from './stamp-tlv.ts';
import { findHmac } from './stamp-tlv-mac.ts';
import { UDP_HEADER_BYTES, udpDataBytes, updateUdpChecksum } from './udp-datagram.ts';

const TIMESTAMP_BYTES = 8;
/** Places in the base packets, see `stamp.ts`. */
const OWN_TIMESTAMP_AT = 4;
const OWN_ERROR_ESTIMATE_AT = 12;
const RECEIVE_TIMESTAMP_AT = 16;
const SENDER_TIMESTAMP_AT = 28;
const SENDER_ERROR_ESTIMATE_AT = 36;
/** Follow-Up Telemetry: a sequence number, the timestamp, its mode, which is 0 for none, and three octets more. */
const FOLLOW_UP_BYTES = 16;
const FOLLOW_UP_TIMESTAMP_AT = 4;
const FOLLOW_UP_MODE_AT = 12;
const FRACTIONS_PER_S = 2 ** 32;

/**
 * Moves the timestamps of an unauthenticated STAMP packet, which `mark` was read from, in place; the UDP checksum is
 * corrected. Offsets are whole ns, positive for a clock ahead of true time: `fromOffsetNs` of the host that sent this
 * packet, `toOffsetNs` of the one it goes to. Left alone are authenticated packets, TLVs behind an HMAC, and PTP timestamps
 * with more nanoseconds than a second has.
 */
export function shiftStampClock(
  view: DataView,
  packet: IpPacket,
  mark: ProbeMark,
  fromOffsetNs: number,
  toOffsetNs: number,
): void {
  if (mark.role === PROBE_ROLE.none || mark.kind !== PROBE_KIND.stamp || mark.authenticated) return;
  const at = packet.payloadOffset + UDP_HEADER_BYTES;
  const isPtp = isPtpFormat(view.getUint16(at + OWN_ERROR_ESTIMATE_AT));
  if (fromOffsetNs !== 0) shift(view, packet, at + OWN_TIMESTAMP_AT, isPtp, fromOffsetNs, 1);
  if (mark.role === PROBE_ROLE.request) return;
  if (fromOffsetNs !== 0) {
    shift(view, packet, at + RECEIVE_TIMESTAMP_AT, isPtp, fromOffsetNs, 1);
    shiftFollowUp(view, packet, isPtp, fromOffsetNs);
  }
  if (toOffsetNs !== 0) {
    const isSenderPtp = isPtpFormat(view.getUint16(at + SENDER_ERROR_ESTIMATE_AT));
    shift(view, packet, at + SENDER_TIMESTAMP_AT, isSenderPtp, toOffsetNs, -1);
  }
}

/** When the reflector's previous reply left, where it tells (RFC 8972 section 4.7): compared with that reply's T3. */
function shiftFollowUp(view: DataView, packet: IpPacket, isPtp: boolean, offsetNs: number): void {
  const start = packet.payloadOffset + UDP_HEADER_BYTES;
  const from = start + STAMP_BASE_BYTES;
  const end = start + udpDataBytes(view, packet);
  if (findHmac(view, from, end) >= 0) return;
  for (let at = from; at < end; ) {
    const after = tlvEnd(view, at, end);
    if (after < 0 || (view.getUint8(at) & FLAG_M) !== 0) return;
    if (isFollowUp(view, at, after)) {
      shift(view, packet, at + TLV_HEADER_BYTES + FOLLOW_UP_TIMESTAMP_AT, isPtp, offsetNs, 1);
    }
    at = after;
  }
}

function isFollowUp(view: DataView, at: number, after: number): boolean {
  return (
    after - at === TLV_HEADER_BYTES + FOLLOW_UP_BYTES &&
    view.getUint16(at) === TLV_TYPES.followUpTelemetry &&
    view.getUint8(at + TLV_HEADER_BYTES + FOLLOW_UP_MODE_AT) !== 0
  );
}

function shift(view: DataView, packet: IpPacket, at: number, isPtp: boolean, offsetNs: number, sign: 1 | -1): void {
  // Behind TLVs of odd length it lies across the checksum's words: then the octet before it is summed too.
  const from = at - ((at - packet.payloadOffset) & 1);
  const bytes = at + TIMESTAMP_BYTES - from;
  const before = onesComplementSum(view, from, bytes);
  if (isPtp) shiftPtp(view, at, offsetNs, sign);
  else shiftNtp(view, at, offsetNs, sign);
  updateUdpChecksum(view, packet, before, onesComplementSum(view, from, bytes));
}

/** 64-bit addition, modulo the era as NTP's seconds are. */
function shiftNtp(view: DataView, at: number, offsetNs: number, sign: 1 | -1): void {
  const seconds = Math.floor(offsetNs / NS_PER_S);
  const fraction = view.getUint32(at + 4) + sign * ntpFraction(offsetNs - seconds * NS_PER_S);
  const carry = Math.floor(fraction / FRACTIONS_PER_S);
  view.setUint32(at + 4, fraction);
  view.setUint32(at, view.getUint32(at) + sign * seconds + carry);
}

function shiftPtp(view: DataView, at: number, offsetNs: number, sign: 1 | -1): void {
  const found = view.getUint32(at + 4);
  if (found >= NS_PER_S) return;
  const seconds = Math.floor(offsetNs / NS_PER_S);
  const nanoseconds = found + sign * (offsetNs - seconds * NS_PER_S);
  const carry = Math.floor(nanoseconds / NS_PER_S);
  view.setUint32(at + 4, nanoseconds - carry * NS_PER_S);
  view.setUint32(at, view.getUint32(at) + sign * seconds + carry);
}
