/** Judges the documents of one PoP, one after another: whether they are one chain, all of it, and without time left out. */

import { type ChainLink, judgeLink } from './chain.ts';
import type { Summary } from './summary.ts';

/** What the audit needs of a document. Its signature and schema have been verified. */
export interface AuditedDocument extends ChainLink {
  readonly boot_id: string;
  readonly window: Pick<Summary['window'], 'start_unix_s' | 'length_s'>;
}

/** A fault between documents: the code says of which kind, see docs/errors.md. */
export interface ChainFault {
  readonly code:
    | 'chain_conflict'
    | 'chain_restart'
    | 'document_replayed'
    | 'documents_missing'
    | 'window_gap'
    | 'window_overlap';
  /** Number of the document at which it shows. */
  readonly sequence: number;
  readonly expected: string;
  readonly found: string;
}

/** One per PoP. It keeps the first document and the last one, however many there are. */
export class ChainAudit {
  #first: AuditedDocument | null = null;
  /** Those of the highest number: several only where one of them is a replay. */
  #last: AuditedDocument[] = [];
  #documents = 0;
  #runs = 0;

  /** The document with the lowest number, or null before any. */
  get first(): AuditedDocument | null {
    return this.#first;
  }

  /** The document with the highest number, whose digest is the chain's head; of several the first. Null before any. */
  get head(): AuditedDocument | null {
    return this.#last[0] ?? null;
  }

  get documents(): number {
    return this.#documents;
  }

  /** How often the agent was started, as far as its documents tell. */
  get runs(): number {
    return this.#runs;
  }

  /**
   * Judges the next document against those before it, and says what is wrong; nothing is an empty list.
   *
   * @throws RangeError when its sequence number is less than the one before: the caller sorts
   */
  add(document: AuditedDocument): ChainFault[] {
    const { sequence } = document;
    this.#documents += 1;
    const [last] = this.#last;
    if (last === undefined) {
      this.#first = document;
      this.#last = [document];
      this.#runs = 1;
      return [];
    }
    if (sequence < last.sequence) throw new RangeError(`document ${sequence} after document ${last.sequence}`);
    if (sequence === last.sequence) {
      this.#last.push(document);
      return [replayFault(last, document)];
    }
    // Where a number was used twice, the one that the next document names is the one that the chain goes on from.
    const before = this.#last.find(({ digest }) => digest === document.prev) ?? last;
    this.#last = [document];
    if (document.boot_id !== before.boot_id) this.#runs += 1;
    return [...linkFaults(before, document), ...windowFaults(before, document)];
  }
}

function replayFault({ digest }: AuditedDocument, document: AuditedDocument): ChainFault {
  return {
    code: 'document_replayed',
    sequence: document.sequence,
    expected: `one document with this number, of digest ${digest}`,
    found: document.digest === digest ? 'the same document again' : `another one, of digest ${document.digest}`,
  };
}

function linkFaults(before: AuditedDocument, document: AuditedDocument): ChainFault[] {
  const { sequence } = document;
  const missing = sequence - before.sequence - 1;
  if (missing > 0) return [gapFault(before, document, missing)];
  const link = judgeLink(document, { before, same: null, after: null });
  if (link.verdict !== 'conflict') return [];
  return [{ code: 'chain_conflict', sequence, expected: link.expected, found: link.found }];
}

/** A chain that begins anew says that the agent lost its memory, any other gap that somebody lost or withholds documents. */
function gapFault(before: AuditedDocument, { sequence, prev }: AuditedDocument, missing: number): ChainFault {
  if (prev === null) {
    const expected = `document ${before.sequence + 1}, which continues the chain`;
    return { code: 'chain_restart', sequence, expected, found: 'a new chain that begins here (prev null)' };
  }
  const numbers = missing === 1 ? `document ${sequence - 1}` : `documents ${before.sequence + 1} to ${sequence - 1}`;
  const found = missing === 1 ? 'none' : `none of these ${missing}`;
  return { code: 'documents_missing', sequence, expected: `${numbers} before it`, found };
}

function windowFaults(before: AuditedDocument, document: AuditedDocument): ChainFault[] {
  const { sequence } = document;
  const { start_unix_s: startS, length_s: lengthS } = document.window;
  const endS = before.window.start_unix_s + before.window.length_s;
  const expected = `a window that begins where that of document ${before.sequence} ends, at ${endS} s of Unix time`;
  if (startS > endS) {
    // Where documents are missing, so is their time: that is said already.
    if (sequence > before.sequence + 1) return [];
    return [{ code: 'window_gap', sequence, expected, found: `${startS - endS} s that no window covers` }];
  }
  if (startS === endS) return [];
  // An agent that stops seals the window that runs; started again, it measures the rest of it.
  const isSharedByRuns = document.boot_id !== before.boot_id && startS + lengthS > before.window.start_unix_s;
  if (isSharedByRuns) return [];
  return [{ code: 'window_overlap', sequence, expected, found: `one that begins ${endS - startS} s before it` }];
}
