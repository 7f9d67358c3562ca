/** Seals each window as soon as every probe of it has its outcome, at the latest Tmax after its end. */

import type { Clock } from '../base/clock.ts';
import type { DocumentQueue } from './document-queue.ts';
import type { SummaryBody } from './seal.ts';
import { Serial } from './serial.ts';
import type { Summarizer } from './summarize.ts';
import { sealDelayNs, type Window, type Windows } from './windows.ts';

export interface SealingParts {
  clock: Clock;
  windows: Windows;
  summarizer: Summarizer;
  documents: Pick<DocumentQueue, 'addSummary' | 'flush' | 'finish'>;
  tmaxNs: number;
  tickNs: number;
}

export class Sealing {
  readonly #parts: SealingParts;
  /** A turn that waits for the disk and the last one at the end must not take the same window. */
  readonly #serial = new Serial();
  #summarizer: Summarizer;
  #sealDelayNs: number;
  #readUntilNs = Number.NEGATIVE_INFINITY;

  constructor(parts: SealingParts) {
    this.#parts = parts;
    this.#summarizer = parts.summarizer;
    this.#sealDelayNs = sealDelayNs(parts.tmaxNs, parts.tickNs);
  }

  /** Runs a task while no window is read. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    return this.#serial.run(task);
  }

  /** End of the newest window that was read, ns on CLOCK_MONOTONIC: what fell due before is summarised. */
  get readUntilNs(): number {
    return this.#readUntilNs;
  }

  /** From here on this summarises. To be called while no window is read. */
  use({ summarizer, tmaxNs, tickNs }: Pick<SealingParts, 'summarizer' | 'tmaxNs' | 'tickNs'>): void {
    this.#summarizer = summarizer;
    this.#sealDelayNs = sealDelayNs(tmaxNs, tickNs);
  }

  /** Seals every window that is ready. Called each second; never throws for what the disk refuses. */
  turn(): Promise<void> {
    return this.#serial.run(() => this.#turn());
  }

  /** Seals what there is of the running window, because the agent stops: probes still out count as void. */
  finish(): Promise<void> {
    return this.#serial.run(() => this.#finish());
  }

  async #turn(): Promise<void> {
    const { clock, windows, documents } = this.#parts;
    await documents.flush();
    clock.read();
    for (let window = windows.ended(clock); window && this.#isReady(window); window = windows.ended(clock)) {
      await this.#sealEnded(window);
    }
  }

  async #finish(): Promise<void> {
    const { clock, windows, documents } = this.#parts;
    clock.read();
    for (let window = windows.ended(clock); window; window = windows.ended(clock)) await this.#sealEnded(window);
    await documents.addSummary(this.#read(windows.cutOff(clock)));
    await documents.finish();
  }

  #isReady(window: Window): boolean {
    const { clock } = this.#parts;
    if (clock.monoNs - window.endNs >= this.#sealDelayNs) return true;
    return this.#summarizer.isSettled(window, clock.monoNs);
  }

  #read(window: Window): SummaryBody {
    const body = this.#summarizer.summarize(window, this.#parts.clock.monoNs);
    this.#readUntilNs = window.endNs;
    return body;
  }

  async #sealEnded(window: Window): Promise<void> {
    const body = this.#read(window);
    this.#parts.windows.take();
    await this.#parts.documents.addSummary(body);
  }
}
