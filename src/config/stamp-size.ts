/** How many octets of UDP payload a STAMP class needs (RFC 8762 section 4.2, RFC 8972 section 4). */

import { STAMP_BASE_BYTES } from '../wire/stamp.ts';
import type { StampTlv } from './mesh-config.ts';

const AUTHENTICATED_BASE_BYTES = 112;

/** Flags, type and length, which begin every TLV and sub-TLV. */
export const TLV_HEADER_BYTES = 4;

/** Octets of each TLV with its header. */
const TLV_BYTES: Record<StampTlv, number> = {
  class_of_service: TLV_HEADER_BYTES + 4,
  direct_measurement: TLV_HEADER_BYTES + 12,
  follow_up_telemetry: TLV_HEADER_BYTES + 16,
  timestamp_information: TLV_HEADER_BYTES + 4,
  /** Two ports, and the sub-TLVs for the destination's and the source's IP address, 16 octets each. */
  location: TLV_HEADER_BYTES + 4 + 2 * (TLV_HEADER_BYTES + 16),
};

const HMAC_TLV_BYTES = TLV_HEADER_BYTES + 16;

/** Base packet, TLVs and, in authenticated mode with TLVs, the HMAC TLV that covers them (RFC 8972 section 4.8). */
export function stampBytesNeeded(authenticated: boolean, tlvs: readonly StampTlv[]): number {
  const base = authenticated ? AUTHENTICATED_BASE_BYTES : STAMP_BASE_BYTES;
  const hmac = authenticated && tlvs.length > 0 ? HMAC_TLV_BYTES : 0;
  return tlvs.reduce((bytes, tlv) => bytes + TLV_BYTES[tlv], base + hmac);
}
