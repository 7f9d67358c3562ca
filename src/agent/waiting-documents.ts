/** What waits for a disk that refuses, in the order of the chain: bounded, the oldest go first. */

import { LIMITS } from '../base/limits.ts';
import type { SummaryHead } from './seal.ts';

/** A summary that waits: its peers gzipped, a quarter of a megabyte instead of one and a half. */
export interface WaitingSummary {
  readonly kind: 'summary';
  readonly head: SummaryHead;
  readonly peers: Uint8Array;
}

/** A record that waits: its event as JSON text, of which the length is known. */
interface WaitingRecord {
  readonly kind: 'record';
  readonly event: string;
  readonly atUnixMs: number;
}

export type WaitingDocument = WaitingSummary | WaitingRecord;

/** Summaries and records each have a limit of their own: neither kind can push out the other. */
export class WaitingDocuments {
  readonly #documents: WaitingDocument[] = [];
  readonly #counts = { summaries: 0, records: 0 };
  #recordCharacters = 0;

  /** How many wait, by kind. */
  get counts(): Readonly<{ summaries: number; records: number }> {
    return this.#counts;
  }

  /** Adds one behind all others. Returns those that are given up for it. */
  push(document: WaitingDocument): WaitingDocument[] {
    this.#documents.push(document);
    return this.#entered(document);
  }

  /** Puts the one that `shift` gave back to the front. Returns those that are given up for it. */
  unshift(document: WaitingDocument): WaitingDocument[] {
    this.#documents.unshift(document);
    return this.#entered(document);
  }

  /** Takes the oldest. */
  shift(): WaitingDocument | null {
    return this.#take(0);
  }

  #entered(document: WaitingDocument): WaitingDocument[] {
    if (document.kind === 'summary') {
      this.#counts.summaries += 1;
      return this.#giveUp('summary', () => this.#counts.summaries > LIMITS.summariesWaitingMax);
    }
    this.#counts.records += 1;
    this.#recordCharacters += document.event.length;
    return this.#giveUp('record', () => this.#recordCharacters > LIMITS.recordCharactersWaitingMax);
  }

  #giveUp(kind: WaitingDocument['kind'], isOver: () => boolean): WaitingDocument[] {
    const given: WaitingDocument[] = [];
    while (isOver()) {
      const oldest = this.#take(this.#documents.findIndex((document) => document.kind === kind));
      if (oldest) given.push(oldest);
    }
    return given;
  }

  #take(at: number): WaitingDocument | null {
    const [document = null] = this.#documents.splice(at, 1);
    if (document?.kind === 'summary') {
      this.#counts.summaries -= 1;
    } else if (document?.kind === 'record') {
      this.#counts.records -= 1;
      this.#recordCharacters -= document.event.length;
    }
    return document;
  }
}
