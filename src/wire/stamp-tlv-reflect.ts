/**
 * A Session-Reflector's answer to the TLVs of a request (RFC 8972 section 4): as many octets as came, in the same order,
 * each TLV answered in place.
 *
 * Types 6 (Access Report), 9 (Destination Node Address), 10 (Return Path), 11 (Micro-session ID) and 12 (Reflected Test
 * Packet Control) go back as not understood, on purpose: 10 would let a sender point replies at somebody else, 12 would
 * let it multiply them, and the others have no use on a backbone.
 */

import { writeNtp } from './ntp-time.ts';
import {
  FLAG_I,
  FLAG_M,
  FLAG_U,
  isLengthValid,
  isUnderstood,
  TLV_HEADER_BYTES,
  TLV_TYPES,
  tlvEnd,
  tlvType,
} from './stamp-tlv.ts';
import type { TlvFacts, TlvVerdict } from './stamp-tlv-facts.ts';
import { findHmac, HMAC_MISSING, HMAC_NEEDLESS, isTlvMacRight, writeTlvMac } from './stamp-tlv-mac.ts';
import { reflectLocation, reflectTimestampInformation } from './stamp-tlv-sub.ts';

/** Sequence Number and Follow-Up Timestamp, which a malformed Follow-Up Telemetry goes back without. */
const FOLLOW_UP_BYTES = 12;

/**
 * Writes everything beyond the base packet into the reply at `replyOffset` of `reply`, another buffer than the request of
 * `length` octets at `requestOffset` of `request`. Where there are TLVs it also writes the reply's Sequence Number, which
 * the HMAC TLV covers; the rest of the base packet may be written before or, with a fresher T3, after.
 */
export function reflectTlvs(
  request: DataView,
  requestOffset: number,
  length: number,
  reply: DataView,
  replyOffset: number,
  facts: TlvFacts,
): TlvVerdict {
  facts.grantedDscp = -1;
  const { baseBytes } = facts.mode;
  if (length <= baseBytes) return 'none';
  for (let at = baseBytes; at < length; at += 1) reply.setUint8(replyOffset + at, request.getUint8(requestOffset + at));
  if (isIntact(request, requestOffset, requestOffset + length, facts)) {
    reply.setUint32(replyOffset, facts.sequence);
    return answerAll(reply, replyOffset, replyOffset + length, facts);
  }
  refuseAll(reply, replyOffset + baseBytes, replyOffset + length);
  return 'bad_mac';
}

/** An HMAC TLV that nobody has a key for cannot be verified, and what cannot be verified must not be used. */
function isIntact(request: DataView, offset: number, end: number, facts: TlvFacts): boolean {
  const from = offset + facts.mode.baseBytes;
  const hmacAt = findHmac(request, from, end);
  if (hmacAt === HMAC_NEEDLESS) return true;
  if (hmacAt === HMAC_MISSING) return facts.mac === null;
  return hmacAt >= 0 && facts.mac !== null && isTlvMacRight(request, offset, from, hmacAt, facts.mac);
}

/** Sets I in each TLV and leaves everything else as it came. */
function refuseAll(reply: DataView, from: number, end: number): void {
  for (let at = from; at < end; ) {
    const after = tlvEnd(reply, at, end);
    const understood = isUnderstood(tlvType(reply, at, end));
    reply.setUint8(at, FLAG_I | (understood ? 0 : FLAG_U) | (after < 0 ? FLAG_M : 0));
    if (after < 0) return;
    at = after;
  }
}

function answerAll(reply: DataView, offset: number, end: number, facts: TlvFacts): 'answered' | 'malformed' {
  const from = offset + facts.mode.baseBytes;
  for (let at = from; at < end; ) {
    const type = tlvType(reply, at, end);
    const after = tlvEnd(reply, at, end);
    if (after < 0 || !isLengthValid(type, after - at - TLV_HEADER_BYTES)) {
      refuseMalformed(reply, at, type, after < 0 ? end : after);
      return 'malformed';
    }
    const flags = answer(reply, at, after, type, facts);
    reply.setUint8(at, flags);
    if ((flags & FLAG_M) !== 0) return 'malformed';
    // It covers what has been answered so far, and there is a key, or the packet would not have been taken for intact.
    if (type === TLV_TYPES.hmac && facts.mac) writeTlvMac(reply, offset, from, at, facts.mac);
    at = after;
  }
  return 'answered';
}

/** Answers one TLV in place; returns its flags. */
function answer(reply: DataView, at: number, after: number, type: number, facts: TlvFacts): number {
  const value = at + TLV_HEADER_BYTES;
  switch (type) {
    case TLV_TYPES.extraPadding:
    case TLV_TYPES.hmac:
      return 0;
    case TLV_TYPES.location:
      return reflectLocation(reply, value, after, facts);
    case TLV_TYPES.timestampInformation:
      return reflectTimestampInformation(reply, value, after, facts);
    case TLV_TYPES.classOfService:
      return reflectClassOfService(reply, value, facts);
    case TLV_TYPES.directMeasurement:
      reply.setUint32(value + 4, facts.packetsReceived);
      reply.setUint32(value + 8, facts.packetsSent);
      return 0;
    case TLV_TYPES.followUpTelemetry:
      reflectFollowUp(reply, value, facts);
      return 0;
    default:
      return FLAG_U;
  }
}

/** Sets M; what follows in the packet stays as it came. A Follow-Up Telemetry must not go back with values (section 4.7). */
function refuseMalformed(reply: DataView, at: number, type: number, end: number): void {
  reply.setUint8(at, FLAG_M | (isUnderstood(type) ? 0 : FLAG_U));
  if (type !== TLV_TYPES.followUpTelemetry) return;
  const from = at + TLV_HEADER_BYTES;
  for (let octet = from; octet < Math.min(end, from + FOLLOW_UP_BYTES); octet += 1) reply.setUint8(octet, 0);
}

/**
 * ```text
 *   | DSCP1 (6) | DSCP2 (6) | ECN (2) | RP (2) | Reserved (16) |
 * ```
 * DSCP2 and ECN become what was received. The first DSCP1 that policy permits is what the reply is sent with; RP = 1 says
 * that this TLV's own was not granted (section 4.4).
 */
function reflectClassOfService(reply: DataView, value: number, facts: TlvFacts): number {
  if (facts.dscp < 0) return FLAG_U;
  const wanted = reply.getUint8(value) >> 2;
  const permitted = (facts.permittedDscp[wanted] ?? 0) !== 0;
  if (permitted && facts.grantedDscp < 0) facts.grantedDscp = wanted;
  const granted = permitted && facts.grantedDscp === wanted;
  reply.setUint8(value, (wanted << 2) | (facts.dscp >> 4));
  reply.setUint8(value + 1, ((facts.dscp & 15) << 4) | ((facts.ecn & 3) << 2) | (granted ? 0 : 1));
  reply.setUint16(value + 2, 0);
  return 0;
}

/**
 * ```text
 *   | Sequence Number 4 | Follow-Up Timestamp 8 | Timestamp Mode 1 | Reserved 3 |
 * ```
 */
function reflectFollowUp(reply: DataView, value: number, facts: TlvFacts): void {
  if (facts.previousKnown) {
    reply.setUint32(value, facts.previousSequence);
    writeNtp(reply, value + 4, facts.previousSent.seconds, facts.previousSent.nanoseconds);
    reply.setUint32(value + 12, facts.previousMethod << 24);
  } else {
    for (let at = value; at < value + 16; at += 4) reply.setUint32(at, 0);
  }
}
