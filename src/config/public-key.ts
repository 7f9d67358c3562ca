/** The public key a collector verifies with: one JWK file per key. */

import { createPublicKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { PopprobeError } from '../base/errors.ts';
import { kidOf, notAKey, readKeyFile } from './key-file.ts';
import { quote } from './quote.ts';

const PUBLIC_KEY = 'an Ed25519 public key as JWK';

export interface PublicKey {
  readonly kid: string;
  readonly publicKey: KeyObject;
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

function jsonOf(octets: Buffer): unknown {
  try {
    return JSON.parse(octets.toString('utf8'));
  } catch {
    return undefined;
  }
}
