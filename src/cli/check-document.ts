/** Verifies one document: everything that can be said of it without the others. */

import type { DocumentFile } from '../agent/spool-file.ts';
import { PopprobeError } from '../base/errors.ts';
import { type AuditedDocument, auditedOf } from '../protocol/audited-document.ts';
import { digestOf } from '../protocol/digest.ts';
import { placeOf } from '../protocol/document-place.ts';
import { readHeader, verifyDetached } from '../protocol/jws-verify.ts';
import { parseDocument } from '../protocol/parse-document.ts';
import type { EvidenceKey } from './evidence-keys.ts';

/** What is kept of a document that was verified. */
export type CheckedDocument = AuditedDocument & { readonly pop: string };

/**
 * Checks the octets against the digest, the signature against the keys, and only then what was signed.
 *
 * @param keys by kid
 * @throws PopprobeError `digest_mismatch`; `malformed`, `unknown_key` or `bad_signature` for the line; `malformed`,
 * `too_large` or `schema` for the octets; `key_not_for_pop`
 */
export async function checkDocument(
  { signature, digest, octets }: DocumentFile,
  keys: ReadonlyMap<string, EvidenceKey>,
): Promise<CheckedDocument> {
  const found = digestOf(octets);
  if (found !== digest) throw refused('digest_mismatch', `octets of digest ${digest}`, `octets of digest ${found}`);
  const { kid, kind } = readHeader(signature);
  const key = keys.get(kid);
  if (key === undefined) throw refused('unknown_key', 'one of the keys that were given', `key ${kid}`);
  await verifyDetached(signature, octets, key.publicKey);
  const document = parseDocument(octets, kind);
  const { pop } = placeOf(document);
  if (key.pop !== null && pop !== key.pop) {
    throw refused('key_not_for_pop', `a document of PoP ${key.pop}, whose key signed it`, `one of PoP ${pop}`);
  }
  return { pop, ...auditedOf(document, { digest, kid: key.kid }) };
}

function refused(code: PopprobeError['code'], expected: string, found: string): PopprobeError {
  return new PopprobeError(code, { expected, found, remedy: 'see docs/errors.md' });
}
