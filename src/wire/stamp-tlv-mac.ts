/**
 * Where the HMAC TLV must stand and what it covers (RFC 8972 section 4.8).
 *
 * ```text
 *   | base packet     | TLV | TLV | Extra Padding | HMAC TLV | Extra Padding |
 *    ^^^^ Sequence      ^^^^^^^^^^^^^^^^^^^^^^^^^
 *         Number        HMAC = HMAC-SHA-256(key, Sequence Number and all preceding TLVs), 16 octets of it
 * ```
 */

import { MAC_BYTES, type PacketMac } from './packet-mac.ts';
import { TLV_HEADER_BYTES, TLV_TYPES, tlvEnd, tlvType } from './stamp-tlv.ts';

/** The packet has no TLV but Extra Padding, which needs no HMAC. */
export const HMAC_NEEDLESS = -1;
/** There are other TLVs, and no HMAC TLV after them. */
export const HMAC_MISSING = -2;
/** An HMAC TLV is not where it must be, comes twice or has not its 16 octets: as bad as a wrong one. */
const HMAC_MISPLACED = -3;

/** Where the HMAC TLV begins among the TLVs in `from` to `end`, or one of the constants above: less than 0. */
export function findHmac(view: DataView, from: number, end: number): number {
  let place = HMAC_NEEDLESS;
  for (let at = from; at < end; ) {
    const type = tlvType(view, at, end);
    const after = tlvEnd(view, at, end);
    if (type !== TLV_TYPES.extraPadding) {
      if (place >= 0) return HMAC_MISPLACED;
      place = type === TLV_TYPES.hmac ? at : HMAC_MISSING;
      if (place >= 0 && after !== at + TLV_HEADER_BYTES + MAC_BYTES) return HMAC_MISPLACED;
    }
    if (after < 0) break;
    at = after;
  }
  return place;
}

/** Whether the HMAC TLV at `hmacAt` is right for the packet that begins at `offset` with its TLVs at `from`. */
export function isTlvMacRight(view: DataView, offset: number, from: number, hmacAt: number, mac: PacketMac): boolean {
  feedTlvMac(view, offset, from, hmacAt, mac);
  return mac.matches(view, hmacAt + TLV_HEADER_BYTES);
}

/** Writes the code of the HMAC TLV at `hmacAt`; sequence number and all TLVs before it are in their final state. */
export function writeTlvMac(view: DataView, offset: number, from: number, hmacAt: number, mac: PacketMac): void {
  feedTlvMac(view, offset, from, hmacAt, mac);
  mac.write(view, hmacAt + TLV_HEADER_BYTES);
}

function feedTlvMac(view: DataView, offset: number, from: number, hmacAt: number, mac: PacketMac): void {
  mac.start();
  mac.update(view, offset, offset + 4);
  mac.update(view, from, hmacAt);
}
