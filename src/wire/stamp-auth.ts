/**
 * STAMP test packets, authenticated mode (RFC 8762 sections 4.2.2, 4.3.2 and 4.4, RFC 8972 section 3).
 *
 * ```text
 *   Session-Sender                              Session-Reflector
 *    0  Sequence Number            4             0  Sequence Number              4
 *    4  MBZ                       12             4  MBZ                         12
 *   16  Timestamp (T1)             8            16  Timestamp (T3)               8
 *   24  Error Estimate             2            24  Error Estimate               2
 *   26  SSID                       2            26  SSID                         2
 *   28  MBZ                       68            28  MBZ                          4
 *   96  HMAC                      16            32  Receive Timestamp (T2)       8
 *  112  TLVs                                    40  MBZ                          8
 *                                               48  Session-Sender Sequence      4
 *                                               52  MBZ                         12
 *                                               64  Session-Sender Timestamp     8
 *                                               72  Session-Sender Error Est.    2
 *                                               74  MBZ                          6
 *                                               80  Ses-Sender TTL               1
 *                                               81  MBZ                         15
 *                                               96  HMAC                        16
 *                                              112  TLVs
 * ```
 *
 * The HMAC covers octets 0 to 95, the MBZ octets as they were received, and is verified before anything is used.
 */

import { writeNtp } from './ntp-time.ts';
import type { PacketMac } from './packet-mac.ts';
import {
  type ReflectorOwnFields,
  type ReflectorPacket,
  readTimestamp,
  type SenderPacket,
  type StampDecoding,
} from './stamp.ts';
import { AUTHENTICATED } from './stamp-mode.ts';

const HMAC_AT = 96;

/** What a decoder of authenticated packets can answer; no bytes make it throw. */
export type AuthDecoding = StampDecoding | 'bad_mac';

/** Writes the 112 octets of a Session-Sender packet at `offset`; the octets after them are the caller's. */
export function encodeAuthSenderPacket(view: DataView, offset: number, packet: SenderPacket, mac: PacketMac): void {
  clear(view, offset);
  view.setUint32(offset, packet.sequence);
  writeNtp(view, offset + 16, packet.t1.seconds, packet.t1.nanoseconds);
  view.setUint16(offset + 24, packet.errorEstimate);
  view.setUint16(offset + 26, packet.ssid);
  seal(view, offset, mac);
}

/** Reads a Session-Sender packet of `length` octets at `offset` into `into`, which is left alone unless the HMAC is right. */
export function decodeAuthSenderPacket(
  view: DataView,
  offset: number,
  length: number,
  mac: PacketMac,
  into: SenderPacket,
): AuthDecoding {
  if (length < AUTHENTICATED.baseBytes) return 'short';
  if (!isAuthentic(view, offset, mac)) return 'bad_mac';
  into.sequence = view.getUint32(offset);
  into.errorEstimate = view.getUint16(offset + 24);
  into.ssid = view.getUint16(offset + 26);
  return readTimestamp(view, offset + 16, into.errorEstimate, into.t1) ? 'ok' : 'bad_timestamp';
}

/**
 * Writes the 112 octets of a Session-Reflector packet at `offset` of `view`, answering the authentic Session-Sender
 * packet that begins at `requestOffset` of `request`: the sender's fields are copied octet for octet.
 */
export function encodeAuthReflectorPacket(
  view: DataView,
  offset: number,
  request: DataView,
  requestOffset: number,
  reply: ReflectorOwnFields,
  mac: PacketMac,
): void {
  clear(view, offset);
  view.setUint32(offset, reply.sequence);
  writeNtp(view, offset + 16, reply.t3.seconds, reply.t3.nanoseconds);
  view.setUint16(offset + 24, reply.errorEstimate);
  view.setUint16(offset + 26, request.getUint16(requestOffset + 26));
  writeNtp(view, offset + 32, reply.t2.seconds, reply.t2.nanoseconds);
  view.setUint32(offset + 48, request.getUint32(requestOffset));
  view.setUint32(offset + 64, request.getUint32(requestOffset + 16));
  view.setUint32(offset + 68, request.getUint32(requestOffset + 20));
  view.setUint16(offset + 72, request.getUint16(requestOffset + 24));
  view.setUint8(offset + 80, reply.senderTtl);
  seal(view, offset, mac);
}

/** Reads a Session-Reflector packet of `length` octets at `offset` into `into`, which is left alone unless the HMAC is right. */
export function decodeAuthReflectorPacket(
  view: DataView,
  offset: number,
  length: number,
  mac: PacketMac,
  into: ReflectorPacket,
): AuthDecoding {
  if (length < AUTHENTICATED.baseBytes) return 'short';
  if (!isAuthentic(view, offset, mac)) return 'bad_mac';
  into.sequence = view.getUint32(offset);
  into.errorEstimate = view.getUint16(offset + 24);
  into.ssid = view.getUint16(offset + 26);
  into.senderSequence = view.getUint32(offset + 48);
  into.senderErrorEstimate = view.getUint16(offset + 72);
  into.senderTtl = view.getUint8(offset + 80);
  const readable =
    readTimestamp(view, offset + 16, into.errorEstimate, into.t3) &&
    readTimestamp(view, offset + 32, into.errorEstimate, into.t2) &&
    readTimestamp(view, offset + 64, into.senderErrorEstimate, into.senderT1);
  return readable ? 'ok' : 'bad_timestamp';
}

function clear(view: DataView, offset: number): void {
  for (let at = offset; at < offset + HMAC_AT; at += 4) view.setUint32(at, 0);
}

function seal(view: DataView, offset: number, mac: PacketMac): void {
  mac.start();
  mac.update(view, offset, offset + HMAC_AT);
  mac.write(view, offset + HMAC_AT);
}

function isAuthentic(view: DataView, offset: number, mac: PacketMac): boolean {
  mac.start();
  mac.update(view, offset, offset + HMAC_AT);
  return mac.matches(view, offset + HMAC_AT);
}
