/** Seals each window as soon as every probe of it has its outcome, at the latest Tmax after its end. */

import { gzipSync } from 'node:zlib';
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Sealer, SummaryBody } from './seal.ts';
import { Serial } from './serial.ts';
import type { Summarizer } from './summarize.ts';
import { sealDelayNs, type Window, type Windows } from './windows.ts';

export interface SealingParts {
  clock: Clock;
  windows: Windows;
  summarizer: Summarizer;
  sealer: Pick<Sealer, 'seal'>;
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
  #latest: Uint8Array | null = null;
  #refusing = false;
  #discarded = 0;

  constructor(parts: SealingParts) {
    this.#parts = parts;
  }

  /** The octets of the newest sealed summary, gzipped since they are rarely asked for; null before the first. */
  get latest(): Uint8Array | null {
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
    while (this.#waiting.length > 0) this.#giveUpOldest('the agent stops and the disk refuses');
  }

  #isReady(window: Window): boolean {
    const { clock, summarizer, tmaxNs, tickNs } = this.#parts;
    if (clock.monoNs - window.endNs >= sealDelayNs(tmaxNs, tickNs)) return true;
    return summarizer.isSettled(window, clock.monoNs);
  }

  #read(window: Window): void {
    this.#waiting.push(this.#parts.summarizer.summarize(window, this.#parts.clock.monoNs));
    if (this.#waiting.length > LIMITS.summariesWaitingMax) this.#giveUpOldest('the disk has refused too many');
  }

  async #sealWaiting(): Promise<void> {
    for (let body = this.#waiting[0]; body; body = this.#waiting[0]) {
      const refusal = await this.#seal(body);
      if (refusal === null) {
        this.#waiting.shift();
        this.#refusing = false;
      } else if (isPermanent(refusal)) {
        this.#giveUpOldest(refusal.message);
      } else {
        this.#sayWaiting(refusal);
        return;
      }
    }
  }

  /** Returns what kept the summary from being sealed, or null. */
  async #seal(body: SummaryBody): Promise<Error | null> {
    try {
      const { sequence, octets } = await this.#parts.sealer.seal(body);
      this.#latest = gzipSync(octets);
      this.#parts.log.info({ sequence, window: body.window.start, bytes: octets.length }, 'window sealed');
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** A disk that refuses for hours is one error, not one a second; `status()` goes on telling. */
  #sayWaiting(refusal: Error): void {
    if (!this.#refusing) this.#parts.log.error({ err: refusal }, 'cannot seal windows now, they wait in memory');
    this.#refusing = true;
  }

  #giveUpOldest(reason: string): void {
    this.#waiting.shift();
    this.#discarded += 1;
    this.#parts.log.error({ reason, discarded: this.#discarded }, 'a summary was given up');
  }
}

/** A summary over the limit will not shrink by waiting, and must not hold up the ones behind it. */
function isPermanent(refusal: Error): boolean {
  return refusal instanceof PopprobeError && refusal.code === 'too_large';
}
