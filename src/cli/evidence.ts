/** From documents that nobody has verified to a verdict: each is checked alone, then those of each PoP as a chain. */

import type { DocumentFile } from '../agent/spool-file.ts';
import { type ErrorCode, PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { type AuditedDocument, type AuditedSummary, declarationsIn } from '../protocol/audited-document.ts';
import { ChainAudit, type ChainNote } from '../protocol/chain-audit.ts';
import { BoundedList } from './bounded-list.ts';
import { type CheckedDocument, checkDocument } from './check-document.ts';
import type { EvidenceKey } from './evidence-keys.ts';
import type { Exhibit } from './exhibit.ts';
import { unvouched } from './vouched.ts';

/** Something that is wrong, with the code of docs/errors.md. */
export interface EvidenceFault {
  readonly code: ErrorCode;
  /** A file, a document of a collector, or a document by its PoP and number. */
  readonly place: string;
  readonly expected: string;
  readonly found: string;
}

/** What was verified of one PoP. */
export interface PopEvidence {
  readonly pop: string;
  /** Different documents, and how many were there more than once. */
  readonly documents: number;
  readonly copies: number;
  /** Of the documents, those that state an event and not a window. */
  readonly records: number;
  /** Documents behind these that were looked at for what they declare, and are not counted. */
  readonly beyond: number;
  /** How often the agent was started, as far as its documents tell. */
  readonly runs: number;
  readonly first: AuditedDocument;
  /** The last document: its digest is the head of the chain. */
  readonly head: AuditedDocument;
  /** The summaries of the first window and of the last; null where there are only records. */
  readonly firstSummary: AuditedSummary | null;
  readonly lastSummary: AuditedSummary | null;
  /** The first `LIMITS.evidenceNotesMax`; `noteCount` is of all. */
  readonly notes: readonly ChainNote[];
  readonly noteCount: number;
}

export interface Evidence {
  readonly isValid: boolean;
  /** By name. */
  readonly pops: readonly PopEvidence[];
  /** Every key that was given, with the documents that it signed. */
  readonly keys: readonly (Pick<EvidenceKey, 'kid' | 'pop' | 'file' | 'isRevoked'> & { readonly documents: number })[];
  /** The first `LIMITS.evidenceFaultsMax`; `faultCount` is of all. */
  readonly faults: readonly EvidenceFault[];
  readonly faultCount: number;
}

/** The verified documents of one PoP. */
interface Chain {
  documents: CheckedDocument[];
  /** Wanted for what they declare. */
  beyond: CheckedDocument[];
}

/**
 * Verifies documents in whatever order they come. Of each verified one it keeps number, digests and window, nothing else.
 *
 * @param onDone is told after every document how many there were, and how much of the work is done, 0 to 1
 * @param onVerified is given every document in which nothing is wrong, with what it was verified from
 */
export async function verifyEvidence(
  exhibits: AsyncIterable<Exhibit> | Iterable<Exhibit>,
  keys: readonly EvidenceKey[],
  onDone: (documents: number, doneRatio: number) => void,
  onVerified: (document: CheckedDocument, file: DocumentFile, isBeyond: boolean) => void = () => undefined,
): Promise<Evidence> {
  const faults: Faults = new BoundedList(LIMITS.evidenceFaultsMax);
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  const chains = new Map<string, Chain>();
  const signed = new Map<string, number>();
  let seen = 0;
  for await (const exhibit of exhibits) {
    const document = await checkExhibit(exhibit, byKid, faults);
    if (document !== null) {
      if (!('code' in exhibit.content)) onVerified(document, exhibit.content, exhibit.isBeyond);
      const chain = chains.get(document.pop) ?? { documents: [], beyond: [] };
      chains.set(document.pop, chain);
      const documents = exhibit.isBeyond ? chain.beyond : chain.documents;
      documents.push(lean(document, documents.at(-1)));
      if (!exhibit.isBeyond) signed.set(document.kid, (signed.get(document.kid) ?? 0) + 1);
    }
    onDone(++seen, exhibit.doneRatio);
  }
  if (seen === 0) {
    faults.add({ code: 'nothing_to_verify', place: 'the evidence', expected: 'a document at least', found: 'none' });
  }
  const isRevoked = (kid: string): boolean => byKid.get(kid)?.isRevoked === true;
  const pops = [...chains]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([pop, chain]) => auditChain(pop, chain, isRevoked, faults));
  return {
    isValid: faults.count === 0,
    pops: pops.filter((pop) => pop !== null),
    keys: keys.map(({ publicKey: _, ...key }) => ({ ...key, documents: signed.get(key.kid) ?? 0 })),
    faults: faults.listed,
    faultCount: faults.count,
  };
}

/** A month has 44,640 documents: what is written in two of them is kept once. */
function lean(document: CheckedDocument, before: CheckedDocument | undefined): CheckedDocument {
  if (before === undefined) return document;
  const prev = document.prev === before.digest ? before.digest : document.prev;
  const boot_id = document.boot_id === before.boot_id ? before.boot_id : document.boot_id;
  return { ...document, pop: before.pop, prev, boot_id };
}

type Faults = BoundedList<EvidenceFault>;

async function checkExhibit(
  { place, sequence, content }: Exhibit,
  keys: ReadonlyMap<string, EvidenceKey>,
  faults: Faults,
): Promise<CheckedDocument | null> {
  if ('code' in content) {
    faults.add({ place, ...content });
    return null;
  }
  try {
    const document = await checkDocument(content, keys);
    // Under a wrong name it is still what its PoP signed, and has its place in the chain.
    if (sequence !== null && sequence !== document.sequence) {
      const [expected, found] = [`document ${sequence}`, `document ${document.sequence} of ${document.pop}`];
      faults.add({ code: 'document_misnamed', place, expected, found });
    }
    return document;
  } catch (error) {
    if (!(error instanceof PopprobeError)) throw error;
    const { code, expected, found } = error;
    faults.add({ code, place, expected, found });
    return null;
  }
}

function auditChain(
  pop: string,
  { documents, beyond }: Chain,
  isRevoked: (kid: string) => boolean,
  faults: Faults,
): PopEvidence | null {
  // By digest within a number, so that copies of one document are neighbours.
  documents.sort((a, b) => a.sequence - b.sequence || (a.digest < b.digest ? -1 : 1));
  const audit = new ChainAudit(declarationsIn([...documents, ...beyond]));
  const notes = new BoundedList<ChainNote>(LIMITS.evidenceNotesMax);
  let copies = 0;
  let before: CheckedDocument | null = null;
  for (const document of documents) {
    if (before?.sequence === document.sequence && before.digest === document.digest) copies += 1;
    else {
      const findings = audit.add(document);
      for (const { code, sequence, expected, found } of findings.faults) {
        faults.add({ code, place: `${pop} document ${sequence}`, expected, found });
      }
      notes.add(...findings.notes);
    }
    before = document;
  }
  for (const { first, last, kid } of unvouched(documents, isRevoked)) {
    const which = first === last ? `document ${first}` : `documents ${first} to ${last}`;
    const expected = 'a document of a sound key, to which an unbroken chain leads from here';
    faults.add({ code: 'key_revoked', place: `${pop} ${which}`, expected, found: `none, and the revoked key ${kid}` });
  }
  const { first, head } = audit;
  if (!first || !head) return null;
  const { records, runs, firstSummary, lastSummary } = audit;
  const counts = { documents: audit.documents, copies, records, beyond: beyond.length, runs };
  return { pop, ...counts, first, head, firstSummary, lastSummary, notes: notes.listed, noteCount: notes.count };
}
