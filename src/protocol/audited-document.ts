/** What the audit of a chain needs of a document, and keeps of a month of them. */

import type { ChainLink } from './chain.ts';
import { type DeclaredRange, DeclaredRanges } from './declared-ranges.ts';
import type { ParsedDocument } from './parse-document.ts';
import type { ChainRecord, EventOf, RecordEvent } from './record.ts';
import type { Summary } from './summary.ts';

interface AuditedLink extends ChainLink {
  readonly boot_id: string;
  /** RFC 7638 thumbprint of the key that signed it. */
  readonly kid: string;
}

/** Its signature and schema have been verified. */
export interface AuditedSummary extends AuditedLink {
  readonly kind: 'summary';
  readonly window: Pick<Summary['window'], 'start_unix_s' | 'length_s'>;
}

/** Events that say something of the chain itself. */
type ChainEvent = EventOf<'gap'> | EventOf<'unsealed'> | EventOf<'key'>;

export interface AuditedRecord extends AuditedLink {
  readonly kind: 'record';
  /** Null for an event that says nothing of the chain. */
  readonly event: ChainEvent | null;
}

export type AuditedDocument = AuditedSummary | AuditedRecord;

/** What names a document and its signer. */
interface Identity {
  readonly digest: string;
  readonly kid: string;
}

/** What is kept of a document: nothing of its peers, which are nearly all of it. */
export function auditedOf(document: ParsedDocument, identity: Identity): AuditedDocument {
  if (document.kind === 'summary') return auditedSummary(document.summary, identity);
  return auditedRecord(document.record, identity);
}

export function auditedSummary(
  { sequence, prev, boot_id, window: { start_unix_s, length_s } }: Summary,
  { digest, kid }: Identity,
): AuditedSummary {
  return { kind: 'summary', sequence, digest, prev, boot_id, kid, window: { start_unix_s, length_s } };
}

export function auditedRecord(
  { sequence, prev, boot_id, event }: ChainRecord,
  { digest, kid }: Identity,
): AuditedRecord {
  return { kind: 'record', sequence, digest, prev, boot_id, kid, event: chainEvent(event) };
}

/** What a PoP's records declare: which documents it gave up, and of which seconds it has none. */
export interface ChainDeclarations {
  readonly documents: DeclaredRanges<EventOf<'gap'>['reason']>;
  readonly seconds: DeclaredRanges<EventOf<'unsealed'>['reason']>;
}

/** @param documents of one PoP, in any order */
export function declarationsIn(documents: Iterable<AuditedDocument>): ChainDeclarations {
  const given: DeclaredRange<EventOf<'gap'>['reason']>[] = [];
  const seconds: DeclaredRange<EventOf<'unsealed'>['reason']>[] = [];
  for (const document of documents) {
    if (document.kind === 'summary' || document.event === null) continue;
    const { sequence: by, event } = document;
    if (event.kind === 'gap') given.push(...event.ranges.map(([from, to]) => ({ from, to, by, reason: event.reason })));
    if (event.kind === 'unsealed') {
      seconds.push({ from: event.from_unix_s, to: event.to_unix_s - 1, by, reason: event.reason });
    }
  }
  return { documents: new DeclaredRanges(given), seconds: new DeclaredRanges(seconds) };
}

function chainEvent(event: RecordEvent): ChainEvent | null {
  switch (event.kind) {
    case 'gap':
    case 'unsealed':
    case 'key':
      return event;
    default:
      return null;
  }
}
