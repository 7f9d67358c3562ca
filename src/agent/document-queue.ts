/** Makes summaries and events into documents, in one order: sealed at once, or in memory while the disk refuses. */

import { gunzipSync, gzipSync } from 'node:zlib';
import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import type { EventOf, RecordEvent } from '../protocol/record.ts';
import { FramedText } from './framed-text.ts';
import type { Sealer, SummaryBody } from './seal.ts';
import { Serial } from './serial.ts';
import { type UnsealedReason, UnsealedWindows } from './unsealed-windows.ts';
import { type WaitingDocument, WaitingDocuments, type WaitingSummary } from './waiting-documents.ts';

/** Who gave up documents of this chain on purpose, and remembers them until a record has declared them. */
interface GapSource {
  pendingGaps(): readonly EventOf<'gap'>[];
  /** These are declared now. Rejects when that cannot be remembered: they are then declared once more. */
  gapsSealed(gaps: readonly EventOf<'gap'>[]): Promise<void>;
}

export interface DocumentQueueParts {
  sealer: Pick<Sealer, 'seal' | 'sealRecord'>;
  gaps: GapSource;
  /** Wall clock, whole ms since the Unix epoch: when what is declared here was declared. */
  nowUnixMs: () => number;
  log: Logger;
}

export interface QueueStatus {
  /** That wait for the disk, and those given up because too many did or they were too large. */
  summaries: { waiting: number; discarded: number };
  /** Since the agent started: sealed. The others as for summaries. */
  records: { sealed: number; waiting: number; discarded: number };
}

/** What became of a document: `refused` may be taken later, `too_large` never. */
type Outcome = 'sealed' | 'refused' | 'too_large';

export class DocumentQueue {
  readonly #parts: DocumentQueueParts;
  readonly #waiting = new WaitingDocuments();
  readonly #unsealed = new UnsealedWindows();
  readonly #serial = new Serial();
  readonly #counts = { recordsSealed: 0, summariesDiscarded: 0, recordsDiscarded: 0 };
  /** Asked for and not begun. */
  #flush: Promise<void> | null = null;
  #isRefusing = false;
  #latest: Uint8Array | null = null;

  constructor(parts: DocumentQueueParts) {
    this.#parts = parts;
  }

  /** The octets of the newest sealed summary, gzipped since they are rarely asked for; null before the first. */
  get latest(): Uint8Array | null {
    return this.#latest;
  }

  /** Whether the disk has refused the last document. */
  get isRefusing(): boolean {
    return this.#isRefusing;
  }

  status(): QueueStatus {
    const { summaries, records } = this.#waiting.counts;
    const { recordsSealed, summariesDiscarded, recordsDiscarded } = this.#counts;
    return {
      summaries: { waiting: summaries, discarded: summariesDiscarded },
      records: { sealed: recordsSealed, waiting: records, discarded: recordsDiscarded },
    };
  }

  /**
   * Has a record of the event sealed as soon as those before it are.
   *
   * @param atUnixMs when it happened, whole ms since the Unix epoch by CLOCK_REALTIME
   */
  addEvent(event: RecordEvent, atUnixMs: number): void {
    this.#giveUp(this.#waiting.push({ kind: 'record', event: JSON.stringify(event), atUnixMs }), 'disk');
    // A disk that refuses is asked once a second, not once an event.
    if (!this.#isRefusing) void this.flush();
  }

  /** Seals the summary, or keeps it while the disk refuses. The body may change again once this resolves; it never rejects. */
  addSummary(body: SummaryBody): Promise<void> {
    return this.#serial.run(async () => {
      const isTaking = (await this.#sealWaiting()) && (await this.#declareGaps());
      const outcome = isTaking ? await this.#sealSummary(body) : 'refused';
      if (outcome === 'sealed') return;
      if (outcome === 'refused') {
        const { peers, ...head } = body;
        this.#giveUp(this.#waiting.push({ kind: 'summary', head, peers: gzipSync(peers.octets) }), 'disk');
        return;
      }
      this.#giveUpSummary(body.window, outcome);
      await this.#declareUnsealed();
    });
  }

  /** Seals what waits, as far as the disk takes it. Called each second; never rejects. */
  flush(): Promise<void> {
    // One that was asked for and has not begun will find what is there when it does.
    this.#flush ??= this.#serial.run(async () => {
      this.#flush = null;
      await this.#sealWaiting();
    });
    return this.#flush;
  }

  /** Seals what waits for the last time, because the agent stops: what the disk refuses now is lost, counted and logged. */
  finish(): Promise<void> {
    return this.#serial.run(async () => {
      await this.#sealWaiting();
      for (let document = this.#waiting.shift(); document; document = this.#waiting.shift()) {
        this.#giveUp([document], 'disk');
      }
    });
  }

  /** Until nothing waits, or the disk refuses: then false. */
  async #sealWaiting(): Promise<boolean> {
    while (await this.#declareUnsealed()) {
      const document = this.#waiting.shift();
      if (document === null) return true;
      const outcome = await this.#sealOne(document);
      if (outcome === 'too_large') this.#giveUp([document], outcome);
      if (outcome === 'refused') {
        this.#giveUp(this.#waiting.unshift(document), 'disk');
        return false;
      }
    }
    return false;
  }

  /** The windows that were given up come before those that wait. False when the disk refuses. */
  async #declareUnsealed(): Promise<boolean> {
    for (let event = this.#unsealed.next(); event !== null; event = this.#unsealed.next()) {
      if ((await this.#sealEvent(event, this.#parts.nowUnixMs())) !== 'sealed') return false;
      this.#unsealed.declared();
    }
    return true;
  }

  /** Once a window, so that a spool that stays full makes one record of many documents. False when the disk refuses. */
  async #declareGaps(): Promise<boolean> {
    const { gaps, nowUnixMs, log } = this.#parts;
    for (const gap of gaps.pendingGaps()) {
      if ((await this.#sealEvent(gap, nowUnixMs())) !== 'sealed') return false;
      try {
        await gaps.gapsSealed([gap]);
      } catch (error) {
        log.warn({ err: error }, 'cannot remember that a gap is declared: it will be declared again');
      }
    }
    return true;
  }

  #sealOne(document: WaitingDocument): Promise<Outcome> {
    if (document.kind === 'summary') return this.#sealSummary(unpack(document));
    return this.#sealEvent(JSON.parse(document.event) as RecordEvent, document.atUnixMs);
  }

  #sealSummary(body: SummaryBody): Promise<Outcome> {
    const { sealer, log } = this.#parts;
    return this.#try(async () => {
      const { sequence, octets } = await sealer.seal(body);
      this.#latest = gzipSync(octets);
      log.info({ sequence, window: body.window.start, bytes: octets.length }, 'window sealed');
    });
  }

  #sealEvent(event: RecordEvent, atUnixMs: number): Promise<Outcome> {
    const { sealer, log } = this.#parts;
    return this.#try(async () => {
      const { sequence } = await sealer.sealRecord(event, atUnixMs);
      this.#counts.recordsSealed += 1;
      log.info({ sequence, event: event.kind }, 'event sealed');
    });
  }

  /** A document over the limit will not shrink by waiting, and must not hold up the ones behind it. */
  async #try(seal: () => Promise<void>): Promise<Outcome> {
    const { log } = this.#parts;
    try {
      await seal();
      this.#isRefusing = false;
      return 'sealed';
    } catch (error) {
      if (error instanceof PopprobeError && error.code === 'too_large') {
        log.error({ err: error }, 'a document is too large');
        return 'too_large';
      }
      // A disk that refuses for hours is one error, not one a second; `status()` goes on telling.
      if (!this.#isRefusing) log.error({ err: error }, 'cannot seal documents now, they wait in memory');
      this.#isRefusing = true;
      return 'refused';
    }
  }

  #giveUp(documents: readonly WaitingDocument[], reason: UnsealedReason): void {
    for (const document of documents) {
      if (document.kind === 'summary') {
        this.#giveUpSummary(document.head.window, reason);
      } else {
        this.#counts.recordsDiscarded += 1;
        this.#parts.log.error({ reason, discarded: this.#counts.recordsDiscarded }, 'a record was given up');
      }
    }
  }

  #giveUpSummary(window: SummaryBody['window'], reason: UnsealedReason): void {
    this.#unsealed.add(window, reason);
    this.#counts.summariesDiscarded += 1;
    this.#parts.log.error({ reason, discarded: this.#counts.summariesDiscarded }, 'a summary was given up');
  }
}

function unpack({ head, peers }: WaitingSummary): SummaryBody {
  const text = new FramedText();
  text.appendOctets(gunzipSync(peers));
  return { ...head, peers: text };
}
