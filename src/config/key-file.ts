/** What reading key files of all kinds has in common: size limit, who may read, thumbprint, the words for what is wrong. */

import type { KeyObject } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { FileRefused, readSmallFile, type SmallFile } from './small-file.ts';

/** The thumbprint of the key itself (RFC 7638), base64url: what the file says of its kid, or how it spells x, does not matter. */
export function kidOf(publicKey: KeyObject): Promise<string> {
  return calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
}

/** Reads a key file of at most `LIMITS.keyFileBytesMax` octets. `instead` makes another one. Throws key_unreadable. */
export function readKeyFile(file: string, instead = 'popprobe keygen'): SmallFile {
  try {
    return readSmallFile(file, LIMITS.keyFileBytesMax);
  } catch (cause) {
    if (!(cause instanceof FileRefused)) throw cause;
    throw new PopprobeError('key_unreadable', {
      expected: 'a readable key file',
      found: `${cause.message}: ${file}`,
      remedy: `correct the path or the permissions; ${instead} makes a new one`,
      cause,
    });
  }
}

/**
 * Throws key_exposed unless only the owner may read the file, and the owner is the user we run as (root may look at what
 * is somebody else's). `what` names the key: `a private key`.
 *
 * `credentials` is where systemd puts this service's credentials; there the group may read, because systemd expresses
 * the service's own access as an ACL, whose mask shows as the group's permission (systemd issue 29435), and root owns them.
 */
export function refuseExposed(
  { mode, uid }: SmallFile,
  file: string,
  what: string,
  credentials: string | undefined = process.env['CREDENTIALS_DIRECTORY'],
): void {
  const isCredential = credentials !== undefined && dirname(resolve(file)) === resolve(credentials);
  const forbidden = isCredential ? 0o037 : 0o077;
  if ((mode & forbidden) !== 0) {
    const found = `mode ${mode.toString(8).padStart(4, '0')} on ${file}`;
    throw exposed(what, found, `chmod 600 ${shellWord(file)}`);
  }
  const self = process.geteuid?.() ?? uid;
  if (uid !== self && self !== 0 && !isCredential) {
    throw exposed(what, `user ${uid} as the owner of ${file}`, `chown ${self} ${shellWord(file)}`);
  }
}

function exposed(what: string, found: string, command: string): PopprobeError {
  const remedy = `run: ${command}`;
  return new PopprobeError('key_exposed', { expected: `${what} that only its owner may read`, found, remedy });
}

/** A word as a shell takes it, whatever characters it has. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A file that holds something else than the key that was expected. */
export function notAKey(
  expected: string,
  found: string,
  { remedy = 'make a pair with popprobe keygen', cause }: { remedy?: string; cause?: unknown } = {},
): PopprobeError {
  return new PopprobeError('key_invalid', { expected, found, remedy, cause });
}
