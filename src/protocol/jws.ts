/** The signature of a document: a detached JWS over its exact octets, as one line of text. */

import { type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';

/** The HTTP header that carries the line. */
export const SIGNATURE_HEADER = 'x-jws-signature';

/** Binds the signature to the kind of document, so that it means nothing on octets of another kind. */
export const SIGNATURE_TYPE = 'popprobe-summary+jws';

/** The one algorithm (RFC 9864). */
export const ALGORITHM = 'Ed25519';

const signAsync = promisify(sign);

/** The private half of a key. */
export interface SigningKey {
  /** RFC 7638 thumbprint. */
  kid: string;
  privateKey: KeyObject;
}

/** Members of the protected header, in the order in which they are written. */
export interface ProtectedHeader {
  alg: typeof ALGORITHM;
  b64: false;
  crit: ['b64'];
  kid: string;
  typ?: string;
}

/**
 * Signs the octets and gives the line `header..signature` (RFC 7515 appendix F, RFC 7797, `alg` of RFC 9864).
 * Ed25519 is deterministic: the same octets and key always give the same line.
 */
export async function signDetached(octets: Uint8Array, key: SigningKey): Promise<string> {
  const header: ProtectedHeader = { alg: ALGORITHM, b64: false, crit: ['b64'], kid: key.kid, typ: SIGNATURE_TYPE };
  return await signWithHeader(octets, header, key.privateKey);
}

/**
 * Signs the octets under the given protected header: the signing input of RFC 7797 section 3 is the encoded header, a
 * dot, and the octets as they are. By Node.js itself, while collectors verify with a library that had no part in it.
 */
export async function signWithHeader(
  octets: Uint8Array,
  header: ProtectedHeader,
  privateKey: KeyObject,
): Promise<string> {
  const encodedHeader = Buffer.from(JSON.stringify(header)).toString('base64url');
  // null: Ed25519 has its own digest.
  const signature = await signAsync(null, Buffer.concat([Buffer.from(`${encodedHeader}.`), octets]), privateKey);
  return `${encodedHeader}..${signature.toString('base64url')}`;
}
