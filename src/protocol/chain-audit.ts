/** Judges the documents of one PoP, one after another: whether they are one chain, all of it, and without time left out. */

import type { AuditedDocument, AuditedSummary, ChainDeclarations } from './audited-document.ts';
import { judgeLink } from './chain.ts';
import type { EventOf } from './record.ts';
import { KeySuccession } from './key-succession.ts';

/** A fault between documents: the code says of which kind, see docs/errors.md. */
interface ChainFault {
  readonly code:
    | 'chain_conflict'
    | 'chain_restart'
    | 'document_replayed'
    | 'documents_missing'
    | 'key_unannounced'
    | 'window_gap'
    | 'window_overlap';
  /** Number of the document at which it shows. */
  readonly sequence: number;
  readonly expected: string;
  readonly found: string;
}

/** No fault: what the PoP itself has declared, or nobody could have measured. Times are Unix time, the end excluded. */
export type ChainNote =
  | {
      readonly code: 'documents_given_up';
      readonly from: number;
      readonly to: number;
      readonly by: number;
      readonly reason: EventOf<'gap'>['reason'];
    }
  /** Time whose documents were given up: whether anything was measured in it, nobody can tell any more. */
  | { readonly code: 'time_given_up'; readonly fromS: number; readonly toS: number }
  | {
      readonly code: 'windows_unsealed';
      readonly fromS: number;
      readonly toS: number;
      readonly by: number;
      readonly reason: EventOf<'unsealed'>['reason'];
    }
  /** The agent was not running: the document `sequence` is the first summary of another run. */
  | { readonly code: 'not_running'; readonly fromS: number; readonly toS: number; readonly sequence: number }
  | { readonly code: 'key_changed'; readonly sequence: number; readonly from: string; readonly to: string };

/** What is to be said of a document, beside those before it. */
export interface ChainFindings {
  readonly faults: readonly ChainFault[];
  readonly notes: readonly ChainNote[];
}

/** Documents that are missing since the last summary. */
type Missing = 'none' | 'declared' | 'open';

/** One per PoP. It keeps the first document and the last one, however many there are. */
export class ChainAudit {
  readonly #declared: ChainDeclarations;
  readonly #keys = new KeySuccession();
  #first: AuditedDocument | null = null;
  /** Those of the highest number: several only where one of them is a replay. */
  #last: AuditedDocument[] = [];
  #firstSummary: AuditedSummary | null = null;
  #lastSummary: AuditedSummary | null = null;
  #missing: Missing = 'none';
  #documents = 0;
  #records = 0;
  #runs = 0;

  /** @param declared what the records among all the documents declare: those of a gap come behind it */
  constructor(declared: ChainDeclarations) {
    this.#declared = declared;
  }

  /** The document with the lowest number, or null before any. */
  get first(): AuditedDocument | null {
    return this.#first;
  }

  /** The document with the highest number, whose digest is the chain's head; of several the first. Null before any. */
  get head(): AuditedDocument | null {
    return this.#last[0] ?? null;
  }

  /** The summaries of the lowest and of the highest number; null before any. */
  get firstSummary(): AuditedSummary | null {
    return this.#firstSummary;
  }

  get lastSummary(): AuditedSummary | null {
    return this.#lastSummary;
  }

  get documents(): number {
    return this.#documents;
  }

  /** Of the documents. */
  get records(): number {
    return this.#records;
  }

  /** How often the agent was started, as far as its documents tell. */
  get runs(): number {
    return this.#runs;
  }

  /**
   * Judges the next document against those before it, and says what there is to say.
   *
   * @throws RangeError when its sequence number is less than the one before: the caller sorts
   */
  add(document: AuditedDocument): ChainFindings {
    const { sequence } = document;
    this.#documents += 1;
    if (document.kind === 'record') this.#records += 1;
    const [last] = this.#last;
    if (last !== undefined && sequence < last.sequence) {
      throw new RangeError(`document ${sequence} after document ${last.sequence}`);
    }
    if (last?.sequence !== sequence) return this.#judge(document, last ?? null);
    this.#last.push(document);
    this.#keys.hear(document);
    return { faults: [replayFault(last, document)], notes: [] };
  }

  #judge(document: AuditedDocument, last: AuditedDocument | null): ChainFindings {
    const findings = new Findings();
    // Where a number was used twice, the one that the next document names is the one that the chain goes on from.
    const before = this.#last.find(({ digest }) => digest === document.prev) ?? last;
    this.#last = [document];
    this.#first ??= document;
    if (document.boot_id !== before?.boot_id) this.#runs += 1;
    if (before) this.#judgeLink(before, document, findings);
    this.#judgeKey(document, findings);
    if (document.kind === 'summary') this.#judgeWindow(document, findings);
    return findings;
  }

  #judgeLink(before: AuditedDocument, document: AuditedDocument, findings: Findings): void {
    const { sequence, prev } = document;
    if (sequence > before.sequence + 1) {
      // A chain that begins anew says that the agent lost its memory.
      if (prev === null) this.#missRestart(before, sequence, findings);
      else this.#missNumbers(before, sequence, findings);
      return;
    }
    const link = judgeLink(document, { before, same: null, after: null });
    if (link.verdict !== 'conflict') return;
    findings.faults.push({ code: 'chain_conflict', sequence, expected: link.expected, found: link.found });
  }

  #missRestart(before: AuditedDocument, sequence: number, { faults }: Findings): void {
    this.#missing = 'open';
    const expected = `document ${before.sequence + 1}, which continues the chain`;
    faults.push({ code: 'chain_restart', sequence, expected, found: 'a new chain that begins here (prev null)' });
  }

  /** What no record declares, somebody lost or withholds. */
  #missNumbers(before: AuditedDocument, sequence: number, { faults, notes }: Findings): void {
    for (const { from, to, declared } of this.#declared.documents.split(before.sequence + 1, sequence - 1)) {
      if (declared) {
        if (this.#missing === 'none') this.#missing = 'declared';
        notes.push({ code: 'documents_given_up', from, to, ...declared });
        continue;
      }
      this.#missing = 'open';
      const missing = to - from + 1;
      const expected = missing === 1 ? `document ${from} before it` : `documents ${from} to ${to} before it`;
      const found = missing === 1 ? 'none' : `none of these ${missing}`;
      faults.push({ code: 'documents_missing', sequence, expected, found });
    }
  }

  #judgeKey(document: AuditedDocument, { faults, notes }: Findings): void {
    const { sequence, kid } = document;
    const change = this.#keys.next(document);
    this.#keys.hear(document);
    if (change === null) return;
    if (change.isAnnounced) notes.push({ code: 'key_changed', sequence, from: change.from, to: kid });
    else {
      const expected = `the signature of key ${change.from}, or a record before it, signed by that key, that names the next`;
      faults.push({ code: 'key_unannounced', sequence, expected, found: `the signature of key ${kid}` });
    }
  }

  #judgeWindow(summary: AuditedSummary, findings: Findings): void {
    const before = this.#lastSummary;
    const missing = this.#missing;
    this.#lastSummary = summary;
    this.#firstSummary ??= summary;
    this.#missing = 'none';
    if (before === null) return;
    const startS = summary.window.start_unix_s;
    const endS = endOf(before);
    if (startS > endS) this.#judgeTime(before, summary, missing, findings);
    else if (startS < endS && !isSharedByRuns(before, summary)) {
      const found = `one that begins ${endS - startS} s before it`;
      findings.faults.push({ code: 'window_overlap', sequence: summary.sequence, expected: seamless(before), found });
    }
  }

  /** Time between two windows: declared, explained by what is missing or by another run, or left out. */
  #judgeTime(before: AuditedSummary, summary: AuditedSummary, missing: Missing, { faults, notes }: Findings): void {
    const { sequence, boot_id: bootId, window } = summary;
    let leftOutS = 0;
    for (const { from: fromS, to, declared } of this.#declared.seconds.split(endOf(before), window.start_unix_s - 1)) {
      const toS = to + 1;
      if (declared) notes.push({ code: 'windows_unsealed', fromS, toS, ...declared });
      else if (missing === 'declared') notes.push({ code: 'time_given_up', fromS, toS });
      // Where documents are missing, so is their time: that is said already.
      else if (missing === 'none' && bootId !== before.boot_id) {
        notes.push({ code: 'not_running', fromS, toS, sequence });
      } else if (missing === 'none') leftOutS += toS - fromS;
    }
    if (leftOutS === 0) return;
    faults.push({
      code: 'window_gap',
      sequence,
      expected: seamless(before),
      found: `${leftOutS} s that no window covers`,
    });
  }
}

class Findings implements ChainFindings {
  readonly faults: ChainFault[] = [];
  readonly notes: ChainNote[] = [];
}

function replayFault({ digest }: AuditedDocument, document: AuditedDocument): ChainFault {
  return {
    code: 'document_replayed',
    sequence: document.sequence,
    expected: `one document with this number, of digest ${digest}`,
    found: document.digest === digest ? 'the same document again' : `another one, of digest ${document.digest}`,
  };
}

function seamless(before: AuditedSummary): string {
  return `a window that begins where that of document ${before.sequence} ends, at ${endOf(before)} s of Unix time`;
}

/** An agent that stops seals the window that runs; started again, it measures the rest of it. */
function isSharedByRuns(before: AuditedSummary, { boot_id: bootId, window }: AuditedSummary): boolean {
  return bootId !== before.boot_id && window.start_unix_s + window.length_s > before.window.start_unix_s;
}

function endOf({ window }: AuditedSummary): number {
  return window.start_unix_s + window.length_s;
}
