/** The Value of each TLV that a Session-Sender asks for, as a reflector has filled it (RFC 8972 sections 4.2 to 4.7). */

import { IPV4_BYTES, type IpFamily } from '../base/ip-address.ts';
import { readTimestamp } from './stamp.ts';
import {
  FLAG_M,
  FLAG_U,
  isLocationLengthValid,
  LOCATION_ADDRESS_BYTES,
  LOCATION_PORTS_BYTES,
  LOCATION_TYPES,
  TLV_HEADER_BYTES,
  TLV_TYPES,
  tlvEnd,
  tlvType,
} from './stamp-tlv.ts';
import type { ReportedAddress, TlvValues } from './stamp-tlv-values.ts';

/**
 * Reads the TLV at `at`, whose Length is valid for its type, into its values; false when it holds an impossible
 * timestamp. The reply's Error Estimate tells the format of one.
 */
export function readTlvValue(
  view: DataView,
  at: number,
  after: number,
  errorEstimate: number,
  into: TlvValues,
): boolean {
  const value = at + TLV_HEADER_BYTES;
  switch (view.getUint8(at + 1)) {
    case TLV_TYPES.location:
      readLocation(view, value, after, into.location);
      return true;
    case TLV_TYPES.timestampInformation:
      into.timestampInformation.syncSourceIn = view.getUint8(value);
      into.timestampInformation.methodIn = view.getUint8(value + 1);
      into.timestampInformation.syncSourceOut = view.getUint8(value + 2);
      into.timestampInformation.methodOut = view.getUint8(value + 3);
      return true;
    case TLV_TYPES.classOfService: {
      const fields = view.getUint16(value);
      into.classOfService.dscp = (fields >> 4) & 0x3f;
      into.classOfService.ecn = (fields >> 2) & 3;
      into.classOfService.reversePath = fields & 3;
      return true;
    }
    case TLV_TYPES.directMeasurement:
      into.directMeasurement.senderSent = view.getUint32(value);
      into.directMeasurement.reflectorReceived = view.getUint32(value + 4);
      into.directMeasurement.reflectorSent = view.getUint32(value + 8);
      return true;
    case TLV_TYPES.followUpTelemetry:
      into.followUpTelemetry.sequence = view.getUint32(value);
      into.followUpTelemetry.method = view.getUint8(value + 12);
      return readTimestamp(view, value + 4, errorEstimate, into.followUpTelemetry.sent);
    default:
      return true;
  }
}

/** Ports, then sub-TLVs up to the first that is malformed; one that was not understood reports nothing. */
function readLocation(view: DataView, from: number, end: number, into: TlvValues['location']): void {
  into.destinationPort = view.getUint16(from);
  into.sourcePort = view.getUint16(from + 2);
  into.destination.family = null;
  into.source.family = null;
  for (let at = from + LOCATION_PORTS_BYTES; at < end; ) {
    const after = tlvEnd(view, at, end);
    const flags = view.getUint8(at);
    const type = tlvType(view, at, end);
    if (after < 0 || (flags & FLAG_M) !== 0 || !isLocationLengthValid(type, after - at - TLV_HEADER_BYTES)) return;
    if ((flags & FLAG_U) === 0) readLocationSubTlv(view, at + TLV_HEADER_BYTES, type, into);
    at = after;
  }
}

function readLocationSubTlv(view: DataView, value: number, type: number, into: TlvValues['location']): void {
  switch (type) {
    case LOCATION_TYPES.destinationIpv4:
      readAddress(view, value, 'ipv4', into.destination);
      break;
    case LOCATION_TYPES.destinationIpv6:
      readAddress(view, value, 'ipv6', into.destination);
      break;
    case LOCATION_TYPES.sourceIpv4:
      readAddress(view, value, 'ipv4', into.source);
      break;
    case LOCATION_TYPES.sourceIpv6:
      readAddress(view, value, 'ipv6', into.source);
      break;
    default:
  }
}

/** All 16 octets: behind an IPv4 address they are zero, and are made so. */
function readAddress(view: DataView, at: number, family: IpFamily, into: ReportedAddress): void {
  into.family = family;
  for (let octet = 0; octet < LOCATION_ADDRESS_BYTES; octet += 1) {
    into.octets[octet] = family === 'ipv6' || octet < IPV4_BYTES ? view.getUint8(at + octet) : 0;
  }
}
