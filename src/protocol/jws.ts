/** The signature of a document: a detached JWS over its exact octets, as one line of text. */

import { type KeyObject, sign } from 'node:crypto';
import type { DocumentKind } from './document-kind.ts';

/** The HTTP header that carries the line. */
export const SIGNATURE_HEADER = 'x-jws-signature';

/** `typ`: binds the signature to the kind of document, so that it means nothing on octets of another kind. */
export const SIGNATURE_TYPES: Readonly<Record<DocumentKind, string>> = {
  summary: 'popprobe-summary+jws',
  record: 'popprobe-record+jws',
};

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
export function signDetached(octets: Uint8Array, key: SigningKey, kind: DocumentKind): string {
  return signWithHeader(octets, headerOf(key, kind), key.privateKey);
}

/** Signs the octets under the given protected header. */
export function signWithHeader(octets: Uint8Array, header: ProtectedHeader, privateKey: KeyObject): string {
  const prefix = encode(header);
  return signInput(Buffer.concat([Buffer.from(prefix), octets]), prefix, privateKey);
}

/** What the signing input of a document begins with: the encoded protected header and a dot, all ASCII. */
export function signingPrefix(key: SigningKey, kind: DocumentKind): string {
  return encode(headerOf(key, kind));
}

/**
 * Signs a whole signing input, which by RFC 7797 section 3 is the prefix and the octets as they are, and gives the line
 * `header..signature`. In this thread and without a copy: a megabyte takes some milliseconds. By Node.js itself, while
 * collectors verify with a library that had no part in it.
 */
export function signInput(input: Uint8Array, prefix: string, privateKey: KeyObject): string {
  // null: Ed25519 has its own digest.
  return `${prefix}.${sign(null, input, privateKey).toString('base64url')}`;
}

function headerOf(key: SigningKey, kind: DocumentKind): ProtectedHeader {
  return { alg: ALGORITHM, b64: false, crit: ['b64'], kid: key.kid, typ: SIGNATURE_TYPES[kind] };
}

function encode(header: ProtectedHeader): string {
  return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.`;
}
