/**
 * The TLVs of a session's request, laid out once: where each one is, and all octets that never change (RFC 8972 section 4).
 *
 * ```text
 *   base packet  44 or 112  |  Location               48   ports, sub-TLVs 4 and 7 asking for both addresses
 *                           |  Timestamp Information    8
 *                           |  Class of Service         8   DSCP1
 *                           |  Direct Measurement      16   S_TxC changes
 *                           |  Follow-Up Telemetry     20
 *                           |  HMAC                    20   changes
 *                           |  Extra Padding        4 + n
 * ```
 *
 * Each is there only if asked for. HMAC follows all it protects (section 4.8); padding comes last, because a TWAMP Light
 * reflector that must shorten a packet cuts the end off.
 */

import { MAC_BYTES, type PacketMac } from './packet-mac.ts';
import type { StampMode } from './stamp-mode.ts';
import {
  FLAG_U,
  LOCATION_ADDRESS_BYTES,
  LOCATION_PORTS_BYTES,
  LOCATION_TYPES,
  TLV_HEADER_BYTES,
  TLV_TYPES,
  writeTlvHeader,
} from './stamp-tlv.ts';
import { writeTlvMac } from './stamp-tlv-mac.ts';

const SUB_TLV_BYTES = TLV_HEADER_BYTES + LOCATION_ADDRESS_BYTES;

/** The TLVs a session may carry by their names in a configuration, with the octets of the Value, in the order of the packet. */
const CATALOGUE = {
  location: { type: TLV_TYPES.location, valueBytes: LOCATION_PORTS_BYTES + 2 * SUB_TLV_BYTES },
  timestamp_information: { type: TLV_TYPES.timestampInformation, valueBytes: 4 },
  class_of_service: { type: TLV_TYPES.classOfService, valueBytes: 4 },
  direct_measurement: { type: TLV_TYPES.directMeasurement, valueBytes: 12 },
  follow_up_telemetry: { type: TLV_TYPES.followUpTelemetry, valueBytes: 16 },
} as const;

export type TlvName = keyof typeof CATALOGUE;

export const TLV_NAMES = Object.keys(CATALOGUE) as TlvName[];

/** What a session's configuration says about its TLVs. */
export interface TlvOptions {
  mode: StampMode;
  names: readonly TlvName[];
  /** DSCP that the reply is asked to carry (Class of Service). */
  replyDscp: number;
  /** Protect the TLVs in unauthenticated mode too; in authenticated mode they always are. */
  protect: boolean;
  /** Fills Extra Padding with pseudorandom octets of this seed; null leaves it zero (section 4.1 wants both to be possible). */
  paddingSeed: number | null;
}

/** A layout; nothing in it changes. Offsets count from the start of the packet, -1 is "not there". */
export interface TlvLayout {
  readonly baseBytes: number;
  /** Octets of the whole packet. */
  readonly sizeBytes: number;
  readonly directMeasurementAt: number;
  readonly hmacAt: number;
  /** Octets from `baseBytes` to the end, as they are before the changing fields are written. */
  readonly template: DataView;
}

/** Octets of the smallest packet with these TLVs: without Extra Padding, which needs at least 4 octets more. */
export function tlvPacketBytesMin(options: TlvOptions): number {
  let bytes = options.mode.baseBytes + (isProtected(options) ? TLV_HEADER_BYTES + MAC_BYTES : 0);
  for (const name of TLV_NAMES) {
    if (options.names.includes(name)) bytes += TLV_HEADER_BYTES + CATALOGUE[name].valueBytes;
  }
  return bytes;
}

/**
 * Lays out a packet of exactly `sizeBytes` octets. Null when there is none: `sizeBytes` is neither
 * `tlvPacketBytesMin(options)` nor at least 4 more than that.
 */
export function layOutTlvs(options: TlvOptions, sizeBytes: number): TlvLayout | null {
  const { baseBytes } = options.mode;
  const spare = sizeBytes - tlvPacketBytesMin(options);
  if (spare < 0 || (spare > 0 && spare < TLV_HEADER_BYTES)) return null;
  const template = new DataView(new ArrayBuffer(sizeBytes - baseBytes));
  let directMeasurementAt = -1;
  let at = 0;
  for (const name of TLV_NAMES) {
    if (!options.names.includes(name)) continue;
    const { type, valueBytes } = CATALOGUE[name];
    writeTlvHeader(template, at, FLAG_U, type, valueBytes);
    if (name === 'location') askForAddresses(template, at + TLV_HEADER_BYTES + LOCATION_PORTS_BYTES);
    if (name === 'class_of_service') template.setUint8(at + TLV_HEADER_BYTES, options.replyDscp << 2);
    if (name === 'direct_measurement') directMeasurementAt = baseBytes + at;
    at += TLV_HEADER_BYTES + valueBytes;
  }
  const hmacAt = isProtected(options) ? baseBytes + at : -1;
  if (hmacAt >= 0) {
    writeTlvHeader(template, at, FLAG_U, TLV_TYPES.hmac, MAC_BYTES);
    at += TLV_HEADER_BYTES + MAC_BYTES;
  }
  if (spare > 0) pad(template, at, options.paddingSeed);
  return Object.freeze({ baseBytes, sizeBytes, directMeasurementAt, hmacAt, template });
}

/** Writes all octets beyond the base packet that begins at `offset`, over whatever another session left there. */
export function writeTlvTemplate(view: DataView, offset: number, layout: TlvLayout): void {
  const from = offset + layout.baseBytes;
  const bytes = layout.template.byteLength;
  for (let at = 0; at < bytes; at += 1) view.setUint8(from + at, layout.template.getUint8(at));
}

/**
 * Writes what changes from packet to packet, after the base packet has its sequence number: the count of in-profile
 * packets sent so far (S_TxC) and the HMAC. `mac` is needed only where the layout has an HMAC TLV.
 */
export function writeTlvFields(
  view: DataView,
  offset: number,
  layout: TlvLayout,
  packetsSent: number,
  mac: PacketMac | null,
): void {
  if (layout.directMeasurementAt >= 0) {
    view.setUint32(offset + layout.directMeasurementAt + TLV_HEADER_BYTES, packetsSent);
  }
  if (layout.hmacAt >= 0 && mac) {
    writeTlvMac(view, offset, offset + layout.baseBytes, offset + layout.hmacAt, mac);
  }
}

/** The HMAC TLV is mandatory in authenticated mode, unless nothing but Extra Padding would be protected (section 4.8). */
function isProtected(options: TlvOptions): boolean {
  return options.names.length > 0 && (options.mode.authenticated || options.protect);
}

function askForAddresses(template: DataView, at: number): void {
  writeTlvHeader(template, at, FLAG_U, LOCATION_TYPES.destinationIp, LOCATION_ADDRESS_BYTES);
  writeTlvHeader(template, at + SUB_TLV_BYTES, FLAG_U, LOCATION_TYPES.sourceIp, LOCATION_ADDRESS_BYTES);
}

function pad(template: DataView, at: number, seed: number | null): void {
  const first = at + TLV_HEADER_BYTES;
  writeTlvHeader(template, at, FLAG_U, TLV_TYPES.extraPadding, template.byteLength - first);
  if (seed === null) return;
  // A linear congruential sequence modulo 2^32, whose high octet has the whole period; padding needs no better one.
  let state = seed >>> 0;
  for (let octet = first; octet < template.byteLength; octet += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    template.setUint8(octet, state >>> 24);
  }
}
