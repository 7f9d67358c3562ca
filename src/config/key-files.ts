/** Key files: makes a PoP's pair, reads the private one for the agent and the public ones for the collector. */

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { z } from 'zod';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { quote } from './quote.ts';
import { configName } from './schema-parts.ts';
import { FileRefused, readSmallFile, type SmallFile, systemReason } from './small-file.ts';

/** `kid` is the RFC 7638 thumbprint of the public key, base64url: 43 characters. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

export interface PublicKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
}

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

/** Members of a JWK beyond these are ignored, as RFC 7517 section 4 demands. */
const jwkSchema = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  kid: z.string().optional(),
  alg: z.literal('Ed25519').optional(),
  use: z.literal('sig').optional(),
  d: z.unknown().optional(),
});

/** Reads a public JWK. Throws key_unreadable, key_exposed when the private key stands in it, or key_invalid. */
export async function readPublicKey(file: string): Promise<PublicKey> {
  const { octets } = readKeyFile(file);
  const { success, data } = jwkSchema.safeParse(jsonOf(octets));
  if (!success) throw notAKey(PUBLIC_KEY, `something else in ${file}`);
  const { kid: given, d, ...jwk } = data;
  if (d !== undefined) {
    throw new PopprobeError('key_exposed', {
      expected: PUBLIC_KEY,
      found: `the private key in ${file}`,
      remedy: 'make a new pair with popprobe keygen and give the collector the .pub.json file only',
    });
  }
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
  const kid = await kidOf(publicKey);
  if (given !== undefined && given !== kid) {
    throw notAKey(`the kid ${kid}, which is the thumbprint of the key`, `${quote(given)} in ${file}`);
  }
  return { kid, publicKey };
}

const PRIVATE_KEY = 'an Ed25519 private key in PKCS#8 PEM without passphrase';
const PUBLIC_KEY = 'an Ed25519 public key as JWK';

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

/** The thumbprint of the key itself: what the file says of its kid, or how it spells x, does not matter. */
function kidOf(publicKey: KeyObject): Promise<string> {
  return calculateJwkThumbprint(publicKey.export({ format: 'jwk' }));
}

function jsonOf(octets: Buffer): unknown {
  try {
    return JSON.parse(octets.toString('utf8'));
  } catch {
    return undefined;
  }
}

function readKeyFile(file: string): SmallFile {
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

function notAKey(expected: string, found: string, cause?: unknown): PopprobeError {
  return new PopprobeError('key_invalid', { expected, found, remedy: 'make a pair with popprobe keygen', cause });
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
