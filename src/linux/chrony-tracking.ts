/**
 * chronyd's command protocol, version 6, as far as "tracking" needs it (candm.h of chrony 2.2 and newer). Big-endian.
 *
 * ```text
 *   request                                    reply
 *    0  version 6      1  type 1 (request)      0  version 6      1  type 2 (reply)
 *    4  command 33     6  attempt               4  command 33     6  reply 5 (tracking)
 *    8  sequence                                8  status 0
 *   12  zeros                                  16  sequence, copied
 *   20  padding to the reply's length          28  reference ID
 *                                              32  address of the source (16), family, zeros
 *                                              52  stratum       54  leap status
 *                                              56  reference time (12)
 *                                              68  current correction
 *                                              72  last offset, RMS offset, frequency, residual, skew (20)
 *                                              92  root delay    96  root dispersion
 *                                             100  last update interval
 * ```
 */

import { NS_PER_S } from '../base/units.ts';
import type { ClockState } from './clock-state.ts';

const VERSION = 6;
const REQUEST = 1;
const REPLY = 2;
const COMMAND_TRACKING = 33;
const REPLY_TRACKING = 5;
const STATUS_SUCCESS = 0;
const REPLY_BYTES = 104;

const LEAP_UNSYNCHRONISED = 3;
/** 127.127.1.1: chronyd follows nothing but its own clock, the directive `local`. */
const REFERENCE_LOCAL = 0x7f7f0101;

/** The request; as long as its answer, or chronyd does not reply. `sequence` is a u32 that comes back. */
export function encodeTrackingRequest(sequence: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(REPLY_BYTES));
  view.setUint8(0, VERSION);
  view.setUint8(1, REQUEST);
  view.setUint16(4, COMMAND_TRACKING);
  view.setUint32(8, sequence);
  return new Uint8Array(view.buffer);
}

/** The state that a reply tells, or null when it is not a whole answer to the request of this sequence number. */
export function decodeTracking(octets: Uint8Array, sequence: number): ClockState | null {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  if (!isAnswer(view, sequence)) return null;
  const source = 'chrony';
  if (view.getUint16(54) >= LEAP_UNSYNCHRONISED || view.getUint32(28) === REFERENCE_LOCAL) {
    return { synchronised: false, offsetNs: null, maxErrorNs: null, source };
  }
  // Positive when the clock is behind and has to be put forward.
  const correctionS = floatAt(view, 68);
  const delayS = floatAt(view, 92);
  const dispersionS = floatAt(view, 96);
  if (delayS < 0 || dispersionS < 0) return null;
  return {
    synchronised: true,
    offsetNs: wholeNs(-correctionS, Math.round),
    // The bound that chronyc(1) documents for "tracking".
    maxErrorNs: wholeNs(Math.abs(correctionS) + dispersionS + delayS / 2, Math.ceil),
    source,
  };
}

function isAnswer(view: DataView, sequence: number): boolean {
  return (
    view.byteLength === REPLY_BYTES &&
    view.getUint8(0) === VERSION &&
    view.getUint8(1) === REPLY &&
    view.getUint16(4) === COMMAND_TRACKING &&
    view.getUint16(6) === REPLY_TRACKING &&
    view.getUint16(8) === STATUS_SUCCESS &&
    view.getUint32(16) === sequence
  );
}

/** chronyd's own float: 7 bits of exponent and 25 of coefficient, both two's complement; coefficient * 2^(exponent - 25). */
function floatAt(view: DataView, offset: number): number {
  const bits = view.getInt32(offset);
  const exponent = bits >> 25;
  const coefficient = (bits << 7) >> 7;
  return coefficient * 2 ** (exponent - 25);
}

/** Seconds as whole ns; null beyond what a double holds exactly, 104 days: nothing is known of such a clock. */
function wholeNs(seconds: number, round: (ns: number) => number): number | null {
  const ns = round(seconds * NS_PER_S) + 0;
  return Number.isSafeInteger(ns) ? ns : null;
}
