/** Reads all evidence out of the store that a collector has left, and believes nothing of it before its signature. */

import { PopprobeError } from '../base/errors.ts';
import type { Keyring } from '../collector/keyring.ts';
import { openDatabaseToRead } from '../collector/store/database.ts';
import { SqliteStore } from '../collector/store/sqlite-store.ts';
import type { DocumentName, StoredDocument } from '../collector/store/store.ts';
import { signerOf, type VerifiedDocument, verifyDocument } from '../collector/verify.ts';
import type { Summary, SummaryPath, SummaryPeer } from '../protocol/summary.ts';

/** As much of a path as is compared with the network. */
export type StoredFigures = Pick<SummaryPath, 'kind' | 'interval_ms' | 'counts' | 'refused_by_errno' | 'rtt'>;

/** What a PoP states of one window, its signature verified. */
export interface StoredSummary
  extends Pick<Summary, 'pop' | 'boot_id' | 'sequence' | 'prev' | 'window' | 'parameters'> {
  /** Digest of the document's octets. */
  readonly digest: string;
  readonly peers: readonly (Pick<SummaryPeer, 'peer' | 'seconds'> & { readonly paths: readonly StoredFigures[] })[];
}

/**
 * Every document of the collector's SQLite file, by PoP and sequence number. The file stays as it is.
 *
 * @param keyring the public keys of the PoPs.
 * @throws PopprobeError `store_unusable` for the file; for a document `unknown_key`, `bad_signature`, `malformed`,
 * `schema` or `key_not_for_pop`, with its name in `found`.
 */
export async function readStoredDocuments(file: string, keyring: Keyring): Promise<StoredSummary[]> {
  const store = new SqliteStore(openDatabaseToRead(file));
  try {
    const summaries: StoredSummary[] = [];
    for (const name of await store.documentNames()) {
      const document = await store.document(name.pop, name.sequence);
      if (document) summaries.push(await verifiedSummary(name, document, keyring));
    }
    return summaries;
  } finally {
    await store.close();
  }
}

/**
 * What is compared of a document, once its signature has been verified and its owner.
 *
 * @throws PopprobeError `unknown_key`, `bad_signature`, `malformed`, `schema` or `key_not_for_pop`, with its name in `found`.
 */
export async function verifiedSummary(
  { pop, sequence }: DocumentName,
  { octets, signature }: StoredDocument,
  keyring: Keyring,
): Promise<StoredSummary> {
  try {
    return comparedPart(await verifyDocument(octets, signature, signerOf(signature, keyring)));
  } catch (cause) {
    if (!(cause instanceof PopprobeError)) throw cause;
    const { code, expected, found, remedy } = cause;
    throw new PopprobeError(code, { expected, found: `${found} (document ${sequence} of ${pop})`, remedy, cause });
  }
}

/** A long run has a hundred thousand paths with a histogram each: what is not compared is let go of. */
function comparedPart({ summary, digest }: VerifiedDocument): StoredSummary {
  const { pop, boot_id, sequence, prev, window, parameters } = summary;
  const peers = summary.peers.map(({ peer, seconds, paths }) => ({
    peer,
    seconds,
    paths: paths.map(({ kind, interval_ms, counts, refused_by_errno, rtt }) => ({
      kind,
      interval_ms,
      counts,
      refused_by_errno,
      rtt,
    })),
  }));
  return { pop, boot_id, sequence, prev, window, parameters, digest, peers };
}
