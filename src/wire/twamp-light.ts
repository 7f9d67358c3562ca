/**
 * TWAMP-Test packets of a TWAMP Light peer, unauthenticated (RFC 8762 section 4.6, RFC 4656 section 4.1.2, RFC 5357
 * section 4.2.1): STAMP's fields at STAMP's places, with padding where STAMP has its SSID, its MBZ octets and its TLVs.
 *
 * ```text
 *   Session-Sender                              Session-Reflector
 *    0  Sequence Number            4             0  Sequence Number              4
 *    4  Timestamp (T1)             8             4  Timestamp (T3)               8
 *   12  Error Estimate             2            12  Error Estimate               2
 *   14  Packet Padding                          14  MBZ                          2
 *                                               16  Receive Timestamp (T2)       8
 *                                               24  Sender Sequence Number       4
 *                                               28  Sender Timestamp             8
 *                                               36  Sender Error Estimate        2
 *                                               38  MBZ                          2
 *                                               40  Sender TTL                   1
 *                                               41  Packet Padding
 * ```
 */

import {
  type ReflectorPacket,
  readReflectorFields,
  readSenderFields,
  type SenderPacket,
  type StampDecoding,
} from './stamp.ts';

const SENDER_BYTES_MIN = 14;
const REFLECTOR_BYTES_MIN = 41;

/**
 * Reads a request of a sender that is known to speak TWAMP Light. Its SSID is 0: what stands there is padding. The reply
 * is no shorter than STAMP's base packet, as if the request had been extended with zeros.
 */
export function decodeTwampLightRequest(
  view: DataView,
  offset: number,
  length: number,
  into: SenderPacket,
): StampDecoding {
  if (length < SENDER_BYTES_MIN) return 'short';
  into.ssid = 0;
  return readSenderFields(view, offset, into);
}

/** Reads a reply of a reflector that is known to speak TWAMP Light; its SSID says nothing, its padding is not looked at. */
export function decodeTwampLightReply(
  view: DataView,
  offset: number,
  length: number,
  into: ReflectorPacket,
): StampDecoding {
  if (length < REFLECTOR_BYTES_MIN) return 'short';
  return readReflectorFields(view, offset, into);
}
