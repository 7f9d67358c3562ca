/** Makes the key pair of a PoP: the private half for its agent, the public half for the collector. */

import { generateKeyPairSync } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PopprobeError } from '../base/errors.ts';
import { kidOf } from './key-file.ts';
import { makeKeyFolder, writeNewKeyFile } from './new-key-file.ts';
import { quote } from './quote.ts';
import { configName } from './schema-parts.ts';

export interface WrittenKeyPair {
  readonly keyFile: string;
  readonly publicFile: string;
  readonly kid: string;
}

/**
 * Makes an Ed25519 pair: `<name>.key`, PKCS#8 PEM that only the owner may read, and `<name>.pub.json`, a JWK. Makes the
 * directory if there is none, but never replaces a file. Throws config_invalid_value for a bad name, key_exists, or
 * key_unwritable when the files cannot be written.
 */
export async function writeKeyPair(directory: string, name: string): Promise<WrittenKeyPair> {
  const checked = configName.safeParse(name);
  if (!checked.success) {
    const expected = checked.error.issues[0]?.message ?? 'a name';
    throw new PopprobeError('config_invalid_value', { expected, found: quote(name), remedy: "use the PoP's name" });
  }
  const keyFile = join(directory, `${name}.key`);
  const publicFile = join(directory, `${name}.pub.json`);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const kid = await kidOf(publicKey);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'Ed25519', use: 'sig' };
  makeKeyFolder(directory);
  await writeNewKeyFile(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }), 0o600);
  try {
    await writeNewKeyFile(publicFile, `${JSON.stringify(jwk, null, 2)}\n`, 0o644);
  } catch (error) {
    // Half a pair helps nobody, and would stand in the way of the next attempt.
    await unlink(keyFile);
    throw error;
  }
  return { keyFile, publicFile, kid };
}
