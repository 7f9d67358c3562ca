/**
 * STAMP test packets, unauthenticated mode (RFC 8762 sections 4.2.1 and 4.3.1, RFC 8972 section 3).
 *
 * ```text
 *   Session-Sender                              Session-Reflector
 *    0  Sequence Number            4             0  Sequence Number              4
 *    4  Timestamp (T1)             8             4  Timestamp (T3)               8
 *   12  Error Estimate             2            12  Error Estimate               2
 *   14  SSID                       2            14  SSID                         2
 *   16  MBZ                       28            16  Receive Timestamp (T2)       8
 *   44  TLVs                                    24  Session-Sender Sequence      4
 *                                               28  Session-Sender Timestamp     8
 *                                               36  Session-Sender Error Est.    2
 *                                               38  MBZ                          2
 *                                               40  Ses-Sender TTL               1
 *                                               41  MBZ                          3
 *                                               44  TLVs / the received remainder
 * ```
 */

import type { Stamp } from '../base/units.ts';
import { isPtpFormat } from './error-estimate.ts';
import { readNtp, readPtp, writeNtp } from './ntp-time.ts';

/** Octets of the base packet in either direction. */
export const STAMP_BASE_BYTES = 44;

/** The UDP port that IANA gave to STAMP and TWAMP-Test receivers (RFC 8545). */
export const STAMP_PORT = 862;

/** A Session-Sender packet's fields. `t1` is in UTC; on decoding it stays in the format that the Z bit announces. */
export interface SenderPacket {
  sequence: number;
  t1: Stamp;
  errorEstimate: number;
  ssid: number;
}

/** A Session-Reflector packet's fields. */
export interface ReflectorPacket {
  sequence: number;
  t3: Stamp;
  errorEstimate: number;
  ssid: number;
  t2: Stamp;
  senderSequence: number;
  senderT1: Stamp;
  senderErrorEstimate: number;
  /** TTL of the Session-Sender packet as the reflector received it. */
  senderTtl: number;
}

/** What the reflector itself has to say; the rest of its packet is copied from the request. */
export type ReflectorOwnFields = Pick<ReflectorPacket, 'sequence' | 't2' | 't3' | 'errorEstimate' | 'senderTtl'>;

/** What a decoder can answer; no bytes make it throw. */
export type StampDecoding = 'ok' | 'short' | 'bad_timestamp';

/** A blank packet for the decoder to fill again and again. */
export function blankSenderPacket(): SenderPacket {
  return { sequence: 0, t1: { seconds: 0, nanoseconds: 0 }, errorEstimate: 0, ssid: 0 };
}

/** A blank packet for the decoder to fill again and again. */
export function blankReflectorPacket(): ReflectorPacket {
  return {
    sequence: 0,
    t3: { seconds: 0, nanoseconds: 0 },
    errorEstimate: 0,
    ssid: 0,
    t2: { seconds: 0, nanoseconds: 0 },
    senderSequence: 0,
    senderT1: { seconds: 0, nanoseconds: 0 },
    senderErrorEstimate: 0,
    senderTtl: 0,
  };
}

/** Writes the 44 octets of a Session-Sender packet at `offset`; the octets after them are the caller's. */
export function encodeSenderPacket(view: DataView, offset: number, packet: SenderPacket): void {
  view.setUint32(offset, packet.sequence);
  writeNtp(view, offset + 4, packet.t1.seconds, packet.t1.nanoseconds);
  view.setUint16(offset + 12, packet.errorEstimate);
  view.setUint16(offset + 14, packet.ssid);
  for (let at = offset + 16; at < offset + STAMP_BASE_BYTES; at += 4) view.setUint32(at, 0);
}

/** Reads a Session-Sender packet of `length` octets at `offset` into `into`. */
export function decodeSenderPacket(view: DataView, offset: number, length: number, into: SenderPacket): StampDecoding {
  if (length < STAMP_BASE_BYTES) return 'short';
  const decoding = readSenderFields(view, offset, into);
  into.ssid = view.getUint16(offset + 14);
  return decoding;
}

/** Reads the 14 octets that STAMP and TWAMP share; the caller has seen that they are there. The SSID is left alone. */
export function readSenderFields(view: DataView, offset: number, into: SenderPacket): 'ok' | 'bad_timestamp' {
  into.sequence = view.getUint32(offset);
  into.errorEstimate = view.getUint16(offset + 12);
  return readTimestamp(view, offset + 4, into.errorEstimate, into.t1) ? 'ok' : 'bad_timestamp';
}

/**
 * Writes the 44 octets of a Session-Reflector packet at `offset` of `view`, answering the Session-Sender packet that
 * begins at `requestOffset` of `request`: the sender's fields are copied octet for octet, whatever format they are in.
 * Of the request 14 octets are read, and the SSID after them unless it is handed in, as it must be for TWAMP Light.
 */
export function encodeReflectorPacket(
  view: DataView,
  offset: number,
  request: DataView,
  requestOffset: number,
  reply: ReflectorOwnFields,
  ssid: number = request.getUint16(requestOffset + 14),
): void {
  view.setUint32(offset, reply.sequence);
  writeNtp(view, offset + 4, reply.t3.seconds, reply.t3.nanoseconds);
  view.setUint16(offset + 12, reply.errorEstimate);
  view.setUint16(offset + 14, ssid);
  writeNtp(view, offset + 16, reply.t2.seconds, reply.t2.nanoseconds);
  view.setUint32(offset + 24, request.getUint32(requestOffset));
  view.setUint32(offset + 28, request.getUint32(requestOffset + 4));
  view.setUint32(offset + 32, request.getUint32(requestOffset + 8));
  view.setUint16(offset + 36, request.getUint16(requestOffset + 12));
  view.setUint16(offset + 38, 0);
  view.setUint8(offset + 40, reply.senderTtl);
  view.setUint8(offset + 41, 0);
  view.setUint16(offset + 42, 0);
}

/** Reads a Session-Reflector packet of `length` octets at `offset` into `into`. */
export function decodeReflectorPacket(
  view: DataView,
  offset: number,
  length: number,
  into: ReflectorPacket,
): StampDecoding {
  if (length < STAMP_BASE_BYTES) return 'short';
  return readReflectorFields(view, offset, into);
}

/** Reads the 41 octets that STAMP and TWAMP share; the caller has seen that they are there. */
export function readReflectorFields(view: DataView, offset: number, into: ReflectorPacket): 'ok' | 'bad_timestamp' {
  into.sequence = view.getUint32(offset);
  into.errorEstimate = view.getUint16(offset + 12);
  into.ssid = view.getUint16(offset + 14);
  into.senderSequence = view.getUint32(offset + 24);
  into.senderErrorEstimate = view.getUint16(offset + 36);
  into.senderTtl = view.getUint8(offset + 40);
  const readable =
    readTimestamp(view, offset + 4, into.errorEstimate, into.t3) &&
    readTimestamp(view, offset + 16, into.errorEstimate, into.t2) &&
    readTimestamp(view, offset + 28, into.senderErrorEstimate, into.senderT1);
  return readable ? 'ok' : 'bad_timestamp';
}

/** Reads a timestamp in the format that the Error Estimate's Z bit announces; false when it is an impossible one. */
export function readTimestamp(view: DataView, offset: number, errorEstimate: number, into: Stamp): boolean {
  if (isPtpFormat(errorEstimate)) return readPtp(view, offset, into);
  readNtp(view, offset, into);
  return true;
}
