/** From octets and a signature line to a verified document: everything that can be decided without the store. */

import { PopprobeError } from '../base/errors.ts';
import { digestOf } from '../protocol/digest.ts';
import { readHeader, verifyDetached } from '../protocol/jws-verify.ts';
import type { Summary } from '../protocol/summary.ts';
import { parseSummary } from '../protocol/parse-summary.ts';
import type { Keyring, Signer } from './keyring.ts';

/** A summary whose signature, schema and origin are in order, together with the evidence for it. */
export interface VerifiedDocument {
  summary: Summary;
  /** Exactly what was signed. */
  octets: Uint8Array;
  signature: string;
  kid: string;
  digest: string;
}

/**
 * Finds the key that the line claims. Nothing is verified yet.
 *
 * @throws PopprobeError `malformed` or `bad_signature` for the line, `unknown_key` when the key is not registered.
 */
export function signerOf(line: string, keyring: Keyring): Signer {
  const { kid } = readHeader(line);
  const signer = keyring.find(kid);
  if (signer !== null) return signer;
  throw new PopprobeError('unknown_key', {
    expected: 'a key that is registered with this collector',
    found: `key ${kid}`,
    remedy: "add the PoP's public key to the collector's configuration",
  });
}

/**
 * Verifies the signature first, and only then reads what was signed.
 *
 * @throws PopprobeError `bad_signature`, `malformed`, `schema`, or `key_not_for_pop` when a registered key speaks for
 * another PoP than its own.
 */
export async function verifyDocument(octets: Uint8Array, line: string, signer: Signer): Promise<VerifiedDocument> {
  await verifyDetached(line, octets, signer.publicKey);
  const summary = parseSummary(octets);
  if (summary.pop !== signer.pop) {
    throw new PopprobeError('key_not_for_pop', {
      expected: `a document of PoP ${signer.pop}, to which the key belongs`,
      found: `a document of PoP ${summary.pop}`,
      remedy: "compare the agent's name and key with the collector's configuration",
    });
  }
  return { summary, octets, signature: line, kid: signer.kid, digest: digestOf(octets) };
}
