/**
 * What all STAMP TLVs have in common: header, flags, types and which lengths a type may have (RFC 8972 sections 4 and 5.1).
 *
 * ```text
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |U|M|I|R|R|R|R|R|     Type      |            Length             |   Length counts the Value only;
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+   nothing is padded or aligned.
 *   ~                             Value                             ~
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 */

export const TLV_HEADER_BYTES = 4;

/** Unrecognised: set by the sender, cleared by a reflector that understands the TLV. */
export const FLAG_U = 0x80;
/** Malformed: the Length is not valid for the type, or reaches beyond the packet. Whatever follows was not processed. */
export const FLAG_M = 0x40;
/** Integrity: the HMAC TLV was missing, misplaced or wrong; nothing was processed. */
export const FLAG_I = 0x20;

/** The types that are understood here. 6, 9, 10, 11 and 12 are not, see `reflectTlvs`. */
export const TLV_TYPES = {
  extraPadding: 1,
  location: 2,
  timestampInformation: 3,
  classOfService: 4,
  directMeasurement: 5,
  followUpTelemetry: 7,
  hmac: 8,
} as const;

/** Sub-TLVs of Location: what the sender asks with, and what the reflector answers by address family (RFC 8972 section 4.2.1). */
export const LOCATION_TYPES = {
  sourceMac: 1,
  sourceEui64: 3,
  destinationIp: 4,
  destinationIpv4: 5,
  destinationIpv6: 6,
  sourceIp: 7,
  sourceIpv4: 8,
  sourceIpv6: 9,
} as const;

/** Octets of both ports of a Location TLV; its sub-TLVs follow. */
export const LOCATION_PORTS_BYTES = 4;
/** Octets of an address in a Location sub-TLV of either family; IPv4 leaves the last 12 zero. */
export const LOCATION_ADDRESS_BYTES = 16;
/** Octets of a MAC address in a Location sub-TLV. */
export const LOCATION_MAC_BYTES = 8;
/** Octets of the four fields of a Timestamp Information TLV; its sub-TLVs, none of which is defined, follow. */
export const TIMESTAMP_FIELDS_BYTES = 4;

/** Sources of a clock's synchronisation (RFC 8972 section 5.4). */
export const SYNC_SOURCES = { ntp: 1, ptp: 2, ssuBits: 3, gnss: 4, local: 5 } as const;

/** How a timestamp was obtained (RFC 8972 section 5.5); a kernel's software stamp is 'softwareLocal'. */
export const TIMESTAMP_METHODS = { hardwareAssist: 1, softwareLocal: 2, controlPlane: 3 } as const;

const PRIVATE_USE_FIRST = 252;
const PRIVATE_USE_LAST = 254;
const ENTERPRISE_CODE_BYTES = 4;

/** Whether a type is one of `TLV_TYPES`. */
export function isUnderstood(type: number): boolean {
  return type >= TLV_TYPES.extraPadding && type <= TLV_TYPES.hmac && type !== 6;
}

/** Whether the Length is valid for the type; every length is for a type that is not understood, save private ones. */
export function isLengthValid(type: number, length: number): boolean {
  switch (type) {
    case TLV_TYPES.location:
      return length >= LOCATION_PORTS_BYTES;
    case TLV_TYPES.timestampInformation:
      return length >= TIMESTAMP_FIELDS_BYTES;
    case TLV_TYPES.classOfService:
      return length === 4;
    case TLV_TYPES.directMeasurement:
      return length === 12;
    case TLV_TYPES.followUpTelemetry:
    case TLV_TYPES.hmac:
      return length === 16;
    default:
      return isForeignLengthValid(type, length);
  }
}

/** Whether the Length is valid for a sub-TLV of Location. */
export function isLocationLengthValid(type: number, length: number): boolean {
  switch (type) {
    case LOCATION_TYPES.sourceMac:
    case LOCATION_TYPES.sourceEui64:
      return length === LOCATION_MAC_BYTES;
    case LOCATION_TYPES.destinationIp:
    case LOCATION_TYPES.destinationIpv4:
    case LOCATION_TYPES.destinationIpv6:
    case LOCATION_TYPES.sourceIp:
    case LOCATION_TYPES.sourceIpv4:
    case LOCATION_TYPES.sourceIpv6:
      return length === LOCATION_ADDRESS_BYTES;
    default:
      return isForeignLengthValid(type, length);
  }
}

/** Whether the Length is valid for a type that is not understood: a private one begins with its owner's enterprise code. */
export function isForeignLengthValid(type: number, length: number): boolean {
  return type < PRIVATE_USE_FIRST || type > PRIVATE_USE_LAST || length >= ENTERPRISE_CODE_BYTES;
}

/** Where the TLV or sub-TLV at `at` ends, or -1 when its header or its Value reaches beyond `end`. */
export function tlvEnd(view: DataView, at: number, end: number): number {
  if (end - at < TLV_HEADER_BYTES) return -1;
  const after = at + TLV_HEADER_BYTES + view.getUint16(at + 2);
  return after > end ? -1 : after;
}

/** The type of the TLV at `at`, of which at least one octet lies before `end`; 0, which is reserved, when that is all. */
export function tlvType(view: DataView, at: number, end: number): number {
  return at + 1 < end ? view.getUint8(at + 1) : 0;
}

/** Writes flags, type and length of a TLV. */
export function writeTlvHeader(view: DataView, at: number, flags: number, type: number, valueBytes: number): void {
  view.setUint8(at, flags);
  view.setUint8(at + 1, type);
  view.setUint16(at + 2, valueBytes);
}
