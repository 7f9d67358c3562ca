/** How long the pusher waits between tries: exponential backoff with full jitter, and the collector's Retry-After. */

import { LIMITS } from '../base/limits.ts';
import { MS_PER_S } from '../base/units.ts';

/** The one date form still to be sent (RFC 9110 section 5.6.7). An older one costs nothing: our own backoff goes on. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * The wait after `failures` failed tries in a row (1 or more), ms: uniform between the smallest wait and a ceiling that
 * doubles with every failure. Full jitter spreads the PoPs of a mesh that lost their collector at the same instant.
 *
 * @param random uniform in [0, 1)
 * @param max the highest ceiling, ms
 */
export function backoffMs(failures: number, random: number, max: number): number {
  const { pushBackoffMsMin: min } = LIMITS;
  const ceiling = Math.min(max, min * 2 ** failures);
  return min + random * (ceiling - min);
}

/**
 * The wait a Retry-After header asks for (RFC 9110 section 10.2.3: seconds, or a date), ms, at least 0 and at most the
 * limit; null when there is no header or it cannot be read.
 *
 * @param nowMs wall clock, ms since the Unix epoch
 */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  const value = header?.trim() ?? '';
  if (/^\d+$/.test(value)) return Math.min(Number(value) * MS_PER_S, LIMITS.retryAfterMsMax);
  if (!IMF_FIXDATE.test(value)) return null;
  const waitMs = Date.parse(value) - nowMs;
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(waitMs, 0), LIMITS.retryAfterMsMax);
}
