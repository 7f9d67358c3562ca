/** The public keys that evidence is verified with, and whose they are. */

import { basename } from 'node:path';
import { PopprobeError } from '../base/errors.ts';
import { type PublicKey, readPublicKey } from '../config/public-key.ts';

export interface EvidenceKey extends PublicKey {
  readonly file: string;
  /** The PoP that it speaks for; null when neither the command nor the file's name says. */
  readonly pop: string | null;
  /** It is believed only where a later document of another key vouches for it. */
  readonly isRevoked: boolean;
}

/** As `popprobe keygen` names the public half. */
const KEY_FILE = /^([a-z][a-z0-9-]{0,31})\.pub\.json$/;

/**
 * Reads the key files; one that is named twice counts once.
 *
 * @param pop whose keys they are, whatever the files' names say; null to go by these
 * @param revoked files of keys that are revoked
 * @throws PopprobeError as `readPublicKey`, or `config_conflict` when two files say that one key is of two PoPs
 */
export async function readEvidenceKeys(
  files: readonly string[],
  pop: string | null,
  revoked: readonly string[] = [],
): Promise<EvidenceKey[]> {
  const keys = new Map<string, EvidenceKey>();
  // The revoked ones first: a key that is named as both is revoked.
  for (const [index, file] of [...revoked, ...files].entries()) {
    const isRevoked = index < revoked.length;
    const owner = pop ?? KEY_FILE.exec(basename(file))?.[1] ?? null;
    const key = { ...(await readPublicKey(file)), file, pop: owner, isRevoked };
    const other = keys.get(key.kid);
    if (other !== undefined && other.pop !== key.pop) throw ofTwoPops(other, key);
    keys.set(key.kid, other ?? key);
  }
  return [...keys.values()];
}

function ofTwoPops(one: EvidenceKey, other: EvidenceKey): PopprobeError {
  return new PopprobeError('config_conflict', {
    expected: 'every key to be of one PoP',
    found: `the key ${one.kid} in ${one.file} and in ${other.file}`,
    remedy: 'name the file of the PoP to which it belongs, or say with --pop whose it is',
  });
}
