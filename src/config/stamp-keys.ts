/**
 * The keys of authenticated STAMP sessions: a file for each direction between two PoPs, the same at both ends. In the file
 * `a-to-b.key` the first line is the key that signs, and every line a key that is accepted, so that keys can be changed
 * while packets are on their way.
 */

import { join } from 'node:path';
import { LIMITS } from '../base/limits.ts';
import { notAKey, readKeyFile, refuseExposed, shellWord } from './key-file.ts';

/** As long as the digest of HMAC-SHA-256 (RFC 2104 section 3). */
export const STAMP_KEY_BYTES = 32;

const KEYS = `one or ${LIMITS.stampKeysPerSessionMax} different keys, each a line of ${2 * STAMP_KEY_BYTES} hexadecimal digits`;

/**
 * The keys of the session whose Session-Sender is the PoP `from` and whose Session-Reflector is `to`: 32 octets each, the
 * one that signs first. Rejects with key_unreadable, key_exposed or key_invalid, never with an octet of a key.
 */
export function readStampKeys(
  directory: string,
  from: string,
  to: string,
  credentials?: string,
): Promise<Uint8Array[]> {
  return new Promise((resolve) => {
    resolve(keysOf(directory, `${from}-to-${to}`, credentials));
  });
}

function keysOf(directory: string, session: string, credentials: string | undefined): Uint8Array[] {
  const file = join(directory, `${session}.key`);
  const instead = `popprobe keygen --stamp ${session} --out ${shellWord(directory)}`;
  const small = readKeyFile(file, instead);
  refuseExposed(small, file, 'a STAMP key', credentials);
  const lines = small.octets.toString('latin1').replace(/\n$/, '').split('\n');
  const areKeys = lines.every((line) => /^[\da-f]{64}$/i.test(line));
  const areDifferent = new Set(lines.map((line) => line.toLowerCase())).size === lines.length;
  if (!areKeys || !areDifferent || lines.length > LIMITS.stampKeysPerSessionMax) {
    throw notAKey(KEYS, `something else in ${file}`, { remedy: `move the file away and run: ${instead}` });
  }
  return lines.map((line) => Uint8Array.from(Buffer.from(line, 'hex')));
}
