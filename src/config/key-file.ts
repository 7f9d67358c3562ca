/** What reading a private and a public key file have in common: size limit, thumbprint, the words for what is wrong. */

import type { KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { FileRefused, readSmallFile, type SmallFile } from './small-file.ts';

/** The thumbprint of the key itself (RFC 7638), base64url: what the file says of its kid, or how it spells x, does not matter. */
export function kidOf(publicKey: KeyObject): Promise<string> {
  return calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
}

/** Reads a key file of at most `LIMITS.keyFileBytesMax` octets. Throws key_unreadable. */
export function readKeyFile(file: string): SmallFile {
  try {
    return readSmallFile(file, LIMITS.keyFileBytesMax);
  } catch (cause) {
    if (!(cause instanceof FileRefused)) throw cause;
    throw new PopprobeError('key_unreadable', {
      expected: 'a readable key file',
      found: `${cause.message}: ${file}`,
      remedy: 'correct the path or the permissions; popprobe keygen makes a new pair',
      cause,
    });
  }
}

/** A file that holds something else than the key that was expected. */
export function notAKey(expected: string, found: string, cause?: unknown): PopprobeError {
  return new PopprobeError('key_invalid', { expected, found, remedy: 'make a pair with popprobe keygen', cause });
}
