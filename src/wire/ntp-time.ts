/**
 * NTP 64-bit and truncated PTP timestamps as STAMP carries them (RFC 8877 sections 4.2.1 and 4.3, RFC 8762 section 4.2.1).
 *
 * ```text
 *   NTP   0               4               8          PTP   0               4               8
 *         | seconds 1900  | 2^-32 s       |                | seconds TAI   | nanoseconds   |
 * ```
 */

import type { Stamp } from '../base/units.ts';

/** Seconds between 1900-01-01 and 1970-01-01, UTC. */
const NTP_UNIX_OFFSET_S = 2_208_988_800;

/**
 * Fraction of 2^-32 s for nanoseconds: floor(ns * 2^32 / 10^9), exact in doubles.
 * Both sides of the fraction are divided by 2^9, so that the product stays below 2^53; the quotient cannot be rounded
 * up to the next integer, because it stays 1 / 1 953 125 away from it and half an ulp below 2^32 is 2^-22.
 */
export function ntpFraction(nanoseconds: number): number {
  return Math.floor((nanoseconds * 8_388_608) / 1_953_125);
}

/** Nanoseconds for a fraction, rounded to nearest: every ns value survives `ntpFraction` and back (truncation loses 1 ns). */
export function fractionNanoseconds(fraction: number): number {
  return Math.floor((fraction * 1_953_125 + 4_194_304) / 8_388_608);
}

/** Writes an instant in NTP format, 8 octets at `offset`. Seconds wrap in 2036, as the format does. */
export function writeNtp(view: DataView, offset: number, seconds: number, nanoseconds: number): void {
  view.setUint32(offset, seconds + NTP_UNIX_OFFSET_S);
  view.setUint32(offset + 4, ntpFraction(nanoseconds));
}

/**
 * Reads an instant in NTP format into `into`. Seconds are taken modulo 2^32 of the Unix epoch, so that instants from
 * 1970 to 2106 are read right on either side of the NTP wrap of 2036.
 */
export function readNtp(view: DataView, offset: number, into: Stamp): void {
  const nanoseconds = fractionNanoseconds(view.getUint32(offset + 4));
  const carry = nanoseconds === 1_000_000_000 ? 1 : 0;
  into.seconds = (view.getUint32(offset) - NTP_UNIX_OFFSET_S + carry) >>> 0;
  into.nanoseconds = carry === 1 ? 0 : nanoseconds;
}

/**
 * Reads a truncated PTP instant into `into`, without converting TAI to UTC: only differences within one clock and one
 * format are formed from it. Nanoseconds beyond 10^9 are the sender's fault; false says that the stamp is unusable.
 */
export function readPtp(view: DataView, offset: number, into: Stamp): boolean {
  into.seconds = view.getUint32(offset);
  into.nanoseconds = view.getUint32(offset + 4);
  return into.nanoseconds < 1_000_000_000;
}

/** Difference `a - b` in ns. Seconds are compared modulo 2^32, so that a wrap between the two is harmless. */
export function differenceNs(aSeconds: number, aNanoseconds: number, bSeconds: number, bNanoseconds: number): number {
  return ((aSeconds - bSeconds) | 0) * 1_000_000_000 + (aNanoseconds - bNanoseconds);
}
