/** Which of the keys that a configuration names signs, and which one is announced: told from where the chain stands. */

import { PopprobeError } from '../base/errors.ts';
import type { SigningKey } from '../protocol/jws.ts';

/** The keys of a configuration. */
export interface ConfiguredKeys {
  readonly key: SigningKey;
  /** The successor, or null. */
  readonly next: SigningKey | null;
}

export interface SigningPlan {
  /** Signs the next document. */
  readonly key: SigningKey;
  /** What the next document announces, so that it signs those behind; null when no change is due. */
  readonly successor: SigningKey | null;
}

/**
 * A key that was announced signs ever after, also when the configuration still names the one before; a key that nobody
 * announced never signs in a chain.
 *
 * @param kid which key the chain's newest document leaves to sign the next one; null in a new chain, or where nothing says
 * @throws PopprobeError `key_unannounced` when that key is not among the configured ones
 */
export function signingPlan(kid: string | null, { key, next }: ConfiguredKeys): SigningPlan {
  if (next !== null && next.kid === (kid ?? key.kid)) return { key: next, successor: null };
  if (key.kid === (kid ?? key.kid)) return { key, successor: next };
  const found = next === null ? `key ${key.kid}` : `the keys ${key.kid} and ${next.kid}`;
  throw new PopprobeError('key_unannounced', {
    expected: `key ${kid}, which signs this chain`,
    found,
    remedy:
      'name that key as key_file and its successor as next_key_file; where it is lost, docs/keys.md says what to do',
  });
}
