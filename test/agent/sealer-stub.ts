/** A sealer that takes what it is given, unless the test lets it refuse or wait. */

import type { SummaryBody } from '../../src/agent/seal.ts';
import type { SealedDocument } from '../../src/agent/spool-file.ts';
import { PopprobeError } from '../../src/base/errors.ts';
import type { RecordEvent } from '../../src/protocol/record.ts';
import { copyOf } from './summary-body.ts';

export class SealerStub {
  /** The summaries, and the records. */
  readonly sealed: SummaryBody[] = [];
  readonly records: { event: RecordEvent; atUnixMs: number }[] = [];
  /** All of them in the order of the chain, in a word each: a window by its start, an event by its kind. */
  readonly chain: string[] = [];
  readonly octets: Uint8Array[] = [];
  refusing = false;
  /** The next summary is. */
  tooLarge = false;
  before: () => Promise<void> = async () => undefined;

  async seal(body: SummaryBody): Promise<SealedDocument> {
    await this.#take();
    if (this.tooLarge) {
      this.tooLarge = false;
      throw new PopprobeError('too_large', { expected: 'less', found: 'more', remedy: 'measure less' });
    }
    this.sealed.push(copyOf(body));
    return this.#add(`window ${body.window.start_unix_s}`);
  }

  async sealRecord(event: RecordEvent, atUnixMs: number): Promise<SealedDocument> {
    await this.#take();
    this.records.push({ event, atUnixMs });
    return this.#add(event.kind);
  }

  async #take(): Promise<void> {
    await this.before();
    if (!this.refusing) return;
    throw new PopprobeError('spool_unusable', { expected: 'room', found: 'ENOSPC', remedy: 'make room' });
  }

  #add(word: string): SealedDocument {
    this.chain.push(word);
    const octets = Buffer.of(this.chain.length);
    this.octets.push(octets);
    return { sequence: this.chain.length, octets, signature: 'header..signature' };
  }
}

/** Gaps that wait to be declared. */
export class GapsStub {
  readonly pending: Extract<RecordEvent, { kind: 'gap' }>[] = [];
  /** Cannot remember that a gap is declared. */
  forgetful = false;

  pendingGaps(): readonly Extract<RecordEvent, { kind: 'gap' }>[] {
    return [...this.pending];
  }

  async gapsSealed(gaps: readonly RecordEvent[]): Promise<void> {
    if (this.forgetful) throw new PopprobeError('spool_unusable', { expected: 'room', found: 'ENOSPC', remedy: '' });
    for (const gap of gaps) this.pending.splice(this.pending.indexOf(gap as GapsStub['pending'][number]), 1);
  }
}
