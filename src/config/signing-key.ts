/** The private key an agent signs with: one PEM file that only its owner may read. */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { kidOf, notAKey, readKeyFile, refuseExposed } from './key-file.ts';

const PRIVATE_KEY = 'an Ed25519 private key in PKCS#8 PEM without passphrase';

/** `kid` is the RFC 7638 thumbprint of the public key, base64url: 43 characters. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** Reads a private key that only its owner may read. Throws key_unreadable, key_exposed or key_invalid. */
export async function readSigningKey(file: string, credentials?: string): Promise<SigningKey> {
  const small = readKeyFile(file);
  refuseExposed(small, file, 'a private key', credentials);
  const privateKey = privateKeyOf(small.octets, file);
  return { kid: await kidOf(createPublicKey(privateKey)), privateKey };
}

function privateKeyOf(octets: Buffer, file: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: octets, format: 'pem' });
  } catch (cause) {
    throw notAKey(PRIVATE_KEY, `something else in ${file}`, { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw notAKey(PRIVATE_KEY, `a key of type ${key.asymmetricKeyType}`);
  return key;
}
