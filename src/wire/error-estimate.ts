/**
 * STAMP's Error Estimate (RFC 8762 section 4.2.1 figure 3, RFC 4656 section 4.1.2, RFC 8186 section 2.3).
 *
 * ```text
 *    0                   1
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |S|Z|   Scale   |   Multiplier  |      error = Multiplier * 2^-32 * 2^Scale seconds
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 */

const SYNCHRONISED = 0x8000;
const PTP_FORMAT = 0x4000;
const SCALE_MAX = 63;

/** 16 bits for a clock whose error is at most `errorS` seconds; rounded up, Multiplier never 0 as RFC 4656 demands. */
export function encodeErrorEstimate(errorS: number, synchronised: boolean): number {
  let units = Math.ceil(errorS * 2 ** 32);
  let scale = 0;
  while (units > 255 && scale < SCALE_MAX) {
    units = Math.ceil(units / 2);
    scale += 1;
  }
  const multiplier = Math.min(255, Math.max(1, units));
  return (synchronised ? SYNCHRONISED : 0) | (scale << 8) | multiplier;
}

/** Whether the Multiplier is other than 0, which would make the estimate invalid (RFC 4656 section 4.1.2). */
export function isValidEstimate(estimate: number): boolean {
  return (estimate & 0xff) !== 0;
}

/** The error in seconds; null when the estimate is invalid. */
export function errorEstimateSeconds(estimate: number): number | null {
  if (!isValidEstimate(estimate)) return null;
  return (estimate & 0xff) * 2 ** (((estimate >> 8) & 0x3f) - 32);
}

/** The S bit: the sender's clock is synchronised to UTC by an external source. */
export function isSynchronised(estimate: number): boolean {
  return (estimate & SYNCHRONISED) !== 0;
}

/** The Z bit: timestamps are truncated PTP rather than NTP. */
export function isPtpFormat(estimate: number): boolean {
  return (estimate & PTP_FORMAT) !== 0;
}

/** What a clock says of itself while nobody vouches for it: off by up to a second, S = 0; never a tiny error. */
export const UNSYNCHRONISED_ESTIMATE = encodeErrorEstimate(1, false);
