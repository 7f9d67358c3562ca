/** Makes the key pair of a PoP: the private half for its agent, the public half for the collector. */

import { generateKeyPairSync } from 'node:crypto';
import { mkdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PopprobeError } from '../base/errors.ts';
import { kidOf } from './key-file.ts';
import { quote } from './quote.ts';
import { configName } from './schema-parts.ts';
import { systemReason } from './small-file.ts';

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
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw notWritten(directory, cause);
  }
  await writeNew(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }), 0o600);
  try {
    await writeNew(publicFile, `${JSON.stringify(jwk, null, 2)}\n`, 0o644);
  } catch (error) {
    // Half a pair helps nobody, and would stand in the way of the next attempt.
    await unlink(keyFile);
    throw error;
  }
  return { keyFile, publicFile, kid };
}

async function writeNew(file: string, content: string | Buffer, mode: number): Promise<void> {
  try {
    await writeFile(file, content, { flag: 'wx', mode, flush: true });
  } catch (cause) {
    throw notWritten(file, cause);
  }
}

function notWritten(file: string, cause: unknown): PopprobeError {
  if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
    return new PopprobeError('key_exists', {
      expected: 'no file of that name',
      found: file,
      remedy: 'choose another name or folder; move the old key away only if no agent uses it',
      cause,
    });
  }
  const remedy = 'choose a folder that you may write to, with --out';
  return new PopprobeError('key_unwritable', {
    expected: 'a folder to write keys to',
    found: `${systemReason(cause)}: ${file}`,
    remedy,
    cause,
  });
}
