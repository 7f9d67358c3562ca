/**
 * The two TLVs that hold sub-TLVs, answered by a reflector: Location and Timestamp Information (RFC 8972 sections 4.2, 4.3).
 *
 * ```text
 *   Location       | Destination Port  2 | Source Port     2 | sub-TLVs: 1 Source MAC     8   answered by 3, zero
 *                                                            |           4 Destination IP 16   by 5 IPv4 or 6 IPv6
 *                                                            |           7 Source IP     16   by 8 IPv4 or 9 IPv6
 *   Timestamp Inf. | Sync Src In 1 | Timestamp In  1 | Sync Src Out 1 | Timestamp Out 1 | sub-TLVs: none is defined
 * ```
 */

import { IPV4_BYTES } from '../base/ip-address.ts';
import {
  FLAG_M,
  FLAG_U,
  isForeignLengthValid,
  isLocationLengthValid,
  LOCATION_ADDRESS_BYTES,
  LOCATION_MAC_BYTES,
  LOCATION_PORTS_BYTES,
  LOCATION_TYPES,
  TIMESTAMP_FIELDS_BYTES,
  TLV_HEADER_BYTES,
  tlvEnd,
  tlvType,
} from './stamp-tlv.ts';
import type { TlvFacts } from './stamp-tlv-facts.ts';

/** Answers the Location whose Value is `from` to `end`, in place; returns the flags of the TLV. */
export function reflectLocation(view: DataView, from: number, end: number, facts: TlvFacts): number {
  const first = from + LOCATION_PORTS_BYTES;
  if (!areSubTlvsWellFormed(view, first, end, isLocationLengthValid)) return FLAG_M;
  view.setUint16(from, facts.locationReported ? facts.destinationPort : 0);
  view.setUint16(from + 2, facts.locationReported ? facts.sourcePort : 0);
  for (let at = first; at < end; at = tlvEnd(view, at, end)) reflectLocationSubTlv(view, at, facts);
  return 0;
}

/** Answers the Timestamp Information whose Value is `from` to `end`, in place; returns the flags of the TLV. */
export function reflectTimestampInformation(view: DataView, from: number, end: number, facts: TlvFacts): number {
  const first = from + TIMESTAMP_FIELDS_BYTES;
  if (!areSubTlvsWellFormed(view, first, end, isForeignLengthValid)) return FLAG_M;
  view.setUint8(from, facts.syncSource);
  view.setUint8(from + 1, facts.receiveMethod);
  view.setUint8(from + 2, facts.syncSource);
  view.setUint8(from + 3, facts.transmitMethod);
  for (let at = first; at < end; at = tlvEnd(view, at, end)) view.setUint8(at, FLAG_U);
  return 0;
}

/** Nothing is answered unless all sub-TLVs are well formed; the first that is not gets its own M flag. */
function areSubTlvsWellFormed(
  view: DataView,
  from: number,
  end: number,
  isValid: (type: number, length: number) => boolean,
): boolean {
  for (let at = from; at < end; ) {
    const after = tlvEnd(view, at, end);
    if (after < 0 || !isValid(tlvType(view, at, end), after - at - TLV_HEADER_BYTES)) {
      view.setUint8(at, FLAG_M);
      return false;
    }
    at = after;
  }
  return true;
}

function reflectLocationSubTlv(view: DataView, at: number, facts: TlvFacts): void {
  const ipv4 = facts.family === 'ipv4';
  switch (view.getUint8(at + 1)) {
    case LOCATION_TYPES.sourceMac:
      // A UDP socket does not tell the link-layer address. For a packet without one the answer is a zero EUI-64 (4.2.2).
      view.setUint16(at, LOCATION_TYPES.sourceEui64);
      clear(view, at + TLV_HEADER_BYTES, LOCATION_MAC_BYTES);
      break;
    case LOCATION_TYPES.destinationIp:
      view.setUint16(at, ipv4 ? LOCATION_TYPES.destinationIpv4 : LOCATION_TYPES.destinationIpv6);
      writeAddress(view, at + TLV_HEADER_BYTES, facts.destinationAddress, facts);
      break;
    case LOCATION_TYPES.sourceIp:
      view.setUint16(at, ipv4 ? LOCATION_TYPES.sourceIpv4 : LOCATION_TYPES.sourceIpv6);
      writeAddress(view, at + TLV_HEADER_BYTES, facts.sourceAddress, facts);
      break;
    default:
      view.setUint8(at, FLAG_U);
  }
}

function writeAddress(view: DataView, at: number, address: Uint8Array, facts: TlvFacts): void {
  clear(view, at, LOCATION_ADDRESS_BYTES);
  if (!facts.locationReported) return;
  const bytes = facts.family === 'ipv4' ? IPV4_BYTES : LOCATION_ADDRESS_BYTES;
  for (let octet = 0; octet < bytes; octet += 1) view.setUint8(at + octet, address[octet] ?? 0);
}

function clear(view: DataView, at: number, bytes: number): void {
  for (let octet = 0; octet < bytes; octet += 1) view.setUint8(at + octet, 0);
}
