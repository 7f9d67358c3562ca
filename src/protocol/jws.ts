/** The signature of a document: a detached JWS over its exact octets, as one line of text. */

import type { KeyObject } from 'node:crypto';
import { FlattenedSign } from 'jose/jws/flattened/sign';

/** The HTTP header that carries the line. */
export const SIGNATURE_HEADER = 'x-jws-signature';

/** Binds the signature to the kind of document, so that it means nothing on octets of another kind. */
export const SIGNATURE_TYPE = 'popprobe-summary+jws';

/** The one algorithm (RFC 9864). */
export const ALGORITHM = 'Ed25519';

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
 * Signs the octets under the given protected header. `crit` is not optional: without it jose signs the base64url form
 * of the payload although the header says `b64: false`, and nothing throws.
 */
export async function signWithHeader(
  octets: Uint8Array,
  header: ProtectedHeader,
  privateKey: KeyObject,
): Promise<string> {
  const jws = await new FlattenedSign(octets).setProtectedHeader({ ...header }).sign(privateKey);
  // The payload member is "" here and stands for nothing: a detached JWS has an empty middle part.
  return `${jws.protected}..${jws.signature}`;
}
