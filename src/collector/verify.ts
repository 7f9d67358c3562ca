/** From octets and a signature line to a verified document: everything that can be decided without the store. */

import { PopprobeError } from '../base/errors.ts';
import { digestOf } from '../protocol/digest.ts';
import type { DocumentKind } from '../protocol/document-kind.ts';
import { endMsOf, placeOf, timeOf } from '../protocol/document-place.ts';
import { readHeader, verifyDetached } from '../protocol/jws-verify.ts';
import { type ParsedDocument, parseDocument } from '../protocol/parse-document.ts';
import { refuseOutOfPeriod } from './key-period.ts';
import type { Keyring, Signer } from './keyring.ts';

/** The evidence for a document. */
interface DocumentEvidence {
  /** Exactly what was signed. */
  readonly octets: Uint8Array;
  readonly signature: string;
  readonly kid: string;
  readonly digest: string;
}

/** A document whose signature, schema and origin are in order, together with the evidence for it. */
export type VerifiedDocument = DocumentEvidence & ParsedDocument;

/** What a signature line claims: a registered key, and the kind of document. Nothing of it is verified yet. */
export interface Claim {
  readonly signer: Signer;
  readonly kind: DocumentKind;
}

/**
 * Finds the key that the line claims. It costs no more than a line of text, so it comes before anything else.
 *
 * @throws PopprobeError `malformed` or `bad_signature` for the line, `unknown_key` when the key is not registered.
 */
export function claimOf(line: string, keyring: Keyring): Claim {
  const { kid, kind } = readHeader(line);
  const signer = keyring.find(kid);
  if (signer !== null) return { signer, kind };
  throw new PopprobeError('unknown_key', {
    expected: 'a key that is registered with this collector',
    found: `key ${kid}`,
    remedy: "add the PoP's public key to the collector's configuration",
  });
}

/**
 * Verifies the signature first, and only then reads what was signed.
 *
 * @throws PopprobeError `bad_signature`, `malformed`, `too_large`, `schema`, or `key_not_for_pop` when a registered key
 * speaks for another PoP than its own, `key_not_yet_valid` or `key_expired` when it speaks of a time that is not its own.
 */
export async function verifyDocument(
  octets: Uint8Array,
  line: string,
  { signer, kind }: Claim,
): Promise<VerifiedDocument> {
  await verifyDetached(line, octets, signer.publicKey);
  const document = parseDocument(octets, kind);
  const { pop } = placeOf(document);
  if (pop !== signer.pop) {
    throw new PopprobeError('key_not_for_pop', {
      expected: `a document of PoP ${signer.pop}, to which the key belongs`,
      found: `a document of PoP ${pop}`,
      remedy: "compare the agent's name and key with the collector's configuration",
    });
  }
  refuseOutOfPeriod(signer, endMsOf(timeOf(document)));
  return { ...document, octets, signature: line, kid: signer.kid, digest: digestOf(octets) };
}
