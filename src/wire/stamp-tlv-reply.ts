/**
 * The TLVs of a reflected packet as the Session-Sender reads them, in place (RFC 8972 section 4).
 *
 * I anywhere, or a wrong HMAC: no value is used. M: reading stops there. U: that TLV is skipped. A reply that ends within a
 * TLV was shortened by a TWAMP Light reflector (RFC 5357 section 4.2.1): what is whole is used, and the packet itself is as
 * good as any.
 */

import type { PacketMac } from './packet-mac.ts';
import type { StampMode } from './stamp-mode.ts';
import { FLAG_I, FLAG_M, FLAG_U, isLengthValid, TLV_HEADER_BYTES, tlvEnd, tlvType } from './stamp-tlv.ts';
import { findHmac, isTlvMacRight } from './stamp-tlv-mac.ts';
import { readTlvValue } from './stamp-tlv-read-value.ts';
import { forgetTlvValues, type TlvState, type TlvValues, tlvValuesOf } from './stamp-tlv-values.ts';

/**
 * Of all TLVs of a reply. 'none': it ends with the base packet, or before. 'truncated': it ends within a TLV. 'malformed':
 * one had M set or an impossible Length. 'refused': I was set, the reflector could not verify the request. 'bad_mac': the
 * reply could not be verified although it has something to use.
 */
export type TlvReading = 'none' | 'ok' | 'truncated' | 'malformed' | 'refused' | 'bad_mac';

/**
 * Reads the TLVs of the reply of `length` octets at `offset` into `into`. `mac` is null where the request carried no HMAC
 * TLV; with it nothing is used unverified. A reply in which every TLV has U set has nothing to verify: that is what
 * reflectors without RFC 8972 send, and no sign of tampering.
 */
export function readReplyTlvs(
  view: DataView,
  offset: number,
  length: number,
  mode: StampMode,
  mac: PacketMac | null,
  into: TlvValues,
): TlvReading {
  forgetTlvValues(into);
  if (length <= mode.baseBytes) return 'none';
  const from = offset + mode.baseBytes;
  const end = offset + length;
  const refused = isRefused(view, from, end);
  const usable = !refused && (mac === null || isVerified(view, offset, from, end, mac));
  const errorEstimate = view.getUint16(offset + mode.errorEstimateAt);
  const reading = readAll(view, from, end, errorEstimate, usable, into);
  return refused ? 'refused' : reading;
}

function readAll(
  view: DataView,
  from: number,
  end: number,
  errorEstimate: number,
  usable: boolean,
  into: TlvValues,
): TlvReading {
  let reading: TlvReading = 'ok';
  for (let at = from; at < end; ) {
    const after = tlvEnd(view, at, end);
    const state = stateOf(view, at, after, end, usable);
    if (state === 'absent') return 'truncated';
    const values = tlvValuesOf(into, tlvType(view, at, end));
    // Of a type that comes twice the first counts.
    if (values?.state === 'absent') {
      values.state = state;
      if (state === 'ok' && !readTlvValue(view, at, after, errorEstimate, into)) values.state = 'malformed';
    }
    if (state === 'malformed') return 'malformed';
    if (values && state === 'discarded') reading = 'bad_mac';
    at = after;
  }
  return reading;
}

/** The state of the TLV at `at`, which ends at `after`; one that the packet's end cuts off is as good as absent. */
function stateOf(view: DataView, at: number, after: number, end: number, usable: boolean): TlvState {
  const flags = view.getUint8(at);
  if ((flags & FLAG_M) !== 0) return 'malformed';
  if (after < 0) return 'absent';
  if ((flags & FLAG_U) !== 0) return 'unrecognised';
  if (!isLengthValid(tlvType(view, at, end), after - at - TLV_HEADER_BYTES)) return 'malformed';
  return usable ? 'ok' : 'discarded';
}

/** Whether a TLV says that the reflector could not verify the request, as far as the packet can be read. */
function isRefused(view: DataView, from: number, end: number): boolean {
  for (let at = from; at < end && at >= 0; at = tlvEnd(view, at, end)) {
    const flags = view.getUint8(at);
    if ((flags & FLAG_I) !== 0) return true;
    if ((flags & FLAG_M) !== 0) return false;
  }
  return false;
}

function isVerified(view: DataView, offset: number, from: number, end: number, mac: PacketMac): boolean {
  const hmacAt = findHmac(view, from, end);
  return hmacAt >= 0 && isTlvMacRight(view, offset, from, hmacAt, mac);
}
