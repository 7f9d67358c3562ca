/** Reads all evidence out of the store that a collector has left, and believes nothing of it before its signature. */

import { PopprobeError } from '../base/errors.ts';
import type { Keyring } from '../collector/keyring.ts';
import { openDatabaseToRead } from '../collector/store/database.ts';
import { SqliteStore } from '../collector/store/sqlite-store.ts';
import type { DocumentName, StoredDocument } from '../collector/store/store.ts';
import { claimOf, type VerifiedDocument, verifyDocument } from '../collector/verify.ts';
import {
  type AuditedRecord,
  type AuditedSummary,
  auditedRecord,
  auditedSummary,
} from '../protocol/audited-document.ts';
import type { Summary, SummaryPath, SummaryPeer } from '../protocol/summary.ts';

/** As much of a path as is compared with the network. */
export type StoredFigures = Pick<SummaryPath, 'kind' | 'interval_ms' | 'counts' | 'refused_by_errno' | 'rtt'>;

/** What a PoP states of one window, its signature verified. */
export interface StoredSummary extends Omit<AuditedSummary, 'window'>, Pick<Summary, 'pop' | 'window' | 'parameters'> {
  readonly peers: readonly (Pick<SummaryPeer, 'peer' | 'seconds'> & { readonly paths: readonly StoredFigures[] })[];
}

/** What a PoP states of one event, as far as it bears on the chain. */
type StoredRecord = AuditedRecord & { readonly pop: string };

export type LabDocument = StoredSummary | StoredRecord;

/**
 * Every document of the collector's SQLite file, by PoP and sequence number. The file stays as it is.
 *
 * @param keyring the public keys of the PoPs.
 * @throws PopprobeError `store_unusable` for the file; for a document `unknown_key`, `bad_signature`, `malformed`,
 * `schema` or `key_not_for_pop`, with its name in `found`.
 */
export async function readStoredDocuments(file: string, keyring: Keyring): Promise<LabDocument[]> {
  const store = new SqliteStore(openDatabaseToRead(file));
  try {
    const documents: LabDocument[] = [];
    for (const name of await store.documentNames()) {
      const document = await store.document(name.pop, name.sequence);
      if (document) documents.push(await verifiedDocument(name, document, keyring));
    }
    return documents;
  } finally {
    await store.close();
  }
}

/**
 * What is compared of a document, once its signature has been verified and its owner.
 *
 * @throws PopprobeError `unknown_key`, `bad_signature`, `malformed`, `schema` or `key_not_for_pop`, with its name in `found`.
 */
export async function verifiedDocument(
  { pop, sequence }: DocumentName,
  { octets, signature }: StoredDocument,
  keyring: Keyring,
): Promise<LabDocument> {
  try {
    return comparedPart(await verifyDocument(octets, signature, claimOf(signature, keyring)));
  } catch (cause) {
    if (!(cause instanceof PopprobeError)) throw cause;
    const { code, expected, found, remedy } = cause;
    throw new PopprobeError(code, { expected, found: `${found} (document ${sequence} of ${pop})`, remedy, cause });
  }
}

/** A long run has a hundred thousand paths with a histogram each: what is not compared is let go of. */
function comparedPart(document: VerifiedDocument): LabDocument {
  if (document.kind === 'record') return { pop: document.record.pop, ...auditedRecord(document.record, document) };
  const { pop, window, parameters } = document.summary;
  const peers = document.summary.peers.map(({ peer, seconds, paths }) => ({
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
  return { ...auditedSummary(document.summary, document), pop, window, parameters, peers };
}
