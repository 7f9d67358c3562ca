/** What an ICMP error quotes of a Session-Sender packet: as much as the router cared to copy (RFC 792, RFC 1812 section 4.3.2.3). */

import type { Stamp } from '../base/units.ts';
import { readNtp } from './ntp-time.ts';
import type { StampMode } from './stamp-mode.ts';

/** The quoted packet's fields. */
export interface StampQuote {
  sequence: number;
  /** T1, in the NTP format that our packets have; only when `t1Quoted`. */
  t1: Stamp;
  t1Quoted: boolean;
  /** -1 when the quotation ends before it. */
  ssid: number;
}

export function blankStampQuote(): StampQuote {
  return { sequence: 0, t1: { seconds: 0, nanoseconds: 0 }, t1Quoted: false, ssid: -1 };
}

/**
 * Reads the first `length` octets of a packet of ours, quoted at `offset`. 'short' when not even the sequence number is
 * there. The HMAC is not looked at: a quotation rarely reaches it, and an error message proves nothing anyway.
 */
export function decodeStampQuote(
  view: DataView,
  offset: number,
  length: number,
  mode: StampMode,
  into: StampQuote,
): 'ok' | 'short' {
  if (length < 4) return 'short';
  into.sequence = view.getUint32(offset);
  into.t1Quoted = length >= mode.timestampAt + 8;
  if (into.t1Quoted) readNtp(view, offset + mode.timestampAt, into.t1);
  into.ssid = length >= mode.ssidAt + 2 ? view.getUint16(offset + mode.ssidAt) : -1;
  return 'ok';
}
