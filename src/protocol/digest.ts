/** The digest that names a document in the hash chain. */

import { createHash } from 'node:crypto';

/** SHA-256 over the exact octets, base64url without padding: 43 characters. */
export function digestOf(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('base64url');
}
