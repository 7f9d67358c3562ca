/** How long a registered key is believed: by the time of which a document tells, and, once revoked, by our own clock. */

import { type ErrorCode, PopprobeError } from '../base/errors.ts';

/** ms since the Unix epoch; a time that is absent is no limit. */
export interface KeyPeriod {
  /** The first and the last instant of which the key's documents may tell. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** From when on nothing more is accepted of the key. */
  readonly revokedAtMs?: number;
}

type DatedKey = KeyPeriod & { readonly kid: string };

/**
 * Whoever has stolen a key writes whatever time he likes: of a revoked one only the instant counts at which we are asked.
 *
 * @throws PopprobeError `key_revoked`
 */
export function refuseRevoked({ kid, revokedAtMs = Number.POSITIVE_INFINITY }: DatedKey, nowMs: number): void {
  if (nowMs < revokedAtMs) return;
  throw refused('key_revoked', 'a key that is not revoked', `key ${kid}, revoked at ${rfc3339(revokedAtMs)}`);
}

/**
 * A planned change of keys must not cost what was measured before it and comes late, so the document's own time counts.
 *
 * @param toldMs the end of the document's window, or when its event was; ms since the Unix epoch
 * @throws PopprobeError `key_not_yet_valid` or `key_expired`
 */
export function refuseOutOfPeriod(key: DatedKey, toldMs: number): void {
  const { kid, fromMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY } = key;
  const found = `one of ${rfc3339(toldMs)}, signed by key ${kid}`;
  if (toldMs < fromMs) throw refused('key_not_yet_valid', `a document of ${rfc3339(fromMs)} or later`, found);
  if (toldMs > untilMs) throw refused('key_expired', `a document of ${rfc3339(untilMs)} or earlier`, found);
}

function refused(code: ErrorCode, expected: string, found: string): PopprobeError {
  const remedy = "sign with the PoP's current key, or correct the key's times in the collector's configuration";
  return new PopprobeError(code, { expected, found, remedy });
}

/** A document may state a time that no calendar has room for. */
function rfc3339(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms of Unix time` : date.toISOString();
}
