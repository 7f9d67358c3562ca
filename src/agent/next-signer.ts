/** Which key signs the document behind a given one. */

import { SIGNATURE_TYPES } from '../protocol/jws.ts';

interface Signed {
  readonly signature: string;
  readonly octets: Uint8Array;
}

const KID = /^[A-Za-z0-9_-]{43}$/;

/**
 * The kid of the key that a document announces, or else of the one that signed it; undefined where the line or the octets do
 * not say. Nothing is verified: it is for documents of one's own.
 */
export function nextSigner({ signature, octets }: Signed): string | undefined {
  const { kid, typ } = membersOf(Buffer.from(signature.split('.')[0] ?? '', 'base64url'));
  // A summary is a megabyte, and announces nothing.
  const event = typ === SIGNATURE_TYPES.record ? membersOf(octets)['event'] : undefined;
  const announced = isMapping(event) && event['kind'] === 'key' ? event['kid'] : kid;
  return typeof announced === 'string' && KID.test(announced) ? announced : undefined;
}

function membersOf(octets: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(octets).toString('utf8'));
    return isMapping(value) ? value : {};
  } catch {
    return {};
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
