/** The private key an agent signs with: one PEM file that only its owner may read. */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { PopprobeError } from '../base/errors.ts';
import { kidOf, notAKey, readKeyFile } from './key-file.ts';

const PRIVATE_KEY = 'an Ed25519 private key in PKCS#8 PEM without passphrase';

/** `kid` is the RFC 7638 thumbprint of the public key, base64url: 43 characters. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/**
 * Reads a private key that only its owner may read. Throws key_unreadable, key_exposed or key_invalid.
 *
 * `credentials` is where systemd puts this service's credentials; there the group may read, because systemd expresses
 * the service's own access as an ACL, whose mask shows as the group's permission (systemd issue 29435).
 */
export async function readSigningKey(
  file: string,
  credentials: string | undefined = process.env['CREDENTIALS_DIRECTORY'],
): Promise<SigningKey> {
  const { octets, mode } = readKeyFile(file);
  const isCredential = credentials !== undefined && dirname(resolve(file)) === resolve(credentials);
  const forbidden = isCredential ? 0o037 : 0o077;
  if ((mode & forbidden) !== 0) {
    throw new PopprobeError('key_exposed', {
      expected: 'a private key that only its owner may read',
      found: `mode ${mode.toString(8).padStart(4, '0')} on ${file}`,
      remedy: `run: chmod 600 ${shellWord(file)}`,
    });
  }
  const privateKey = privateKeyOf(octets, file);
  return { kid: await kidOf(createPublicKey(privateKey)), privateKey };
}

function privateKeyOf(octets: Buffer, file: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: octets, format: 'pem' });
  } catch (cause) {
    throw notAKey(PRIVATE_KEY, `something else in ${file}`, cause);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw notAKey(PRIVATE_KEY, `a key of type ${key.asymmetricKeyType}`);
  return key;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
