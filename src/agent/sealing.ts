/** Seals each window as soon as every probe of it has its outcome, at the latest Tmax after its end. */

import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import type { Sealer, SummaryBody } from './seal.ts';
import { Serial } from './serial.ts';
import type { Summarizer } from './summarize.ts';
import { sealDelayNs, type Window, type Windows } from './windows.ts';

export interface SealingParts {
  clock: Clock;
  windows: Windows;
  summarizer: Summarizer;
  sealer: Sealer;
  tmaxNs: number;
  tickNs: number;
  log: Logger;
}

export class Sealing {
  readonly #parts: SealingParts;
  /** Summaries read out of the ring that the disk does not take yet. */
  readonly #waiting: SummaryBody[] = [];
  /** A turn that waits for the disk and the last one at the end must not take the same summary. */
  readonly #serial = new Serial();
  #latest: SummaryBody | null = null;
  #discarded = 0;

  constructor(parts: SealingParts) {
    this.#parts = parts;
  }

  /** The summary of the newest window, or null before the first. */
  get latest(): SummaryBody | null {
    return this.#latest;
  }

  /** Summaries that wait for the disk, and those given up because too many did. */
  status(): { waiting: number; discarded: number } {
    return { waiting: this.#waiting.length, discarded: this.#discarded };
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
    const { clock, windows } = this.#parts;
    clock.read();
    for (let window = windows.ended(clock); window && this.#isReady(window); window = windows.ended(clock)) {
      this.#read(window);
      windows.take();
    }
    await this.#sealWaiting();
  }

  async #finish(): Promise<void> {
    const { clock, windows } = this.#parts;
    clock.read();
    for (let window = windows.ended(clock); window; window = windows.ended(clock)) {
      this.#read(window);
      windows.take();
    }
    this.#read(windows.cutOff(clock));
    await this.#sealWaiting();
  }

  #isReady(window: Window): boolean {
    const { clock, summarizer, tmaxNs, tickNs } = this.#parts;
    if (clock.monoNs - window.endNs >= sealDelayNs(tmaxNs, tickNs)) return true;
    return summarizer.isSettled(window, clock.monoNs);
  }

  #read(window: Window): void {
    this.#latest = this.#parts.summarizer.summarize(window, this.#parts.clock.monoNs);
    this.#waiting.push(this.#latest);
    if (this.#waiting.length <= LIMITS.summariesWaitingMax) return;
    this.#waiting.shift();
    this.#discarded += 1;
    this.#parts.log.error({ discarded: this.#discarded }, 'a summary was given up: the disk has refused too many');
  }

  async #sealWaiting(): Promise<void> {
    const { sealer, log } = this.#parts;
    for (let body = this.#waiting[0]; body; body = this.#waiting[0]) {
      try {
        const document = await sealer.seal(body);
        log.info(
          { sequence: document.sequence, window: body.window.start, bytes: document.octets.length },
          'window sealed',
        );
      } catch (error) {
        log.error({ err: error, waiting: this.#waiting.length }, 'cannot seal the window yet, it waits in memory');
        return;
      }
      this.#waiting.shift();
    }
  }
}
