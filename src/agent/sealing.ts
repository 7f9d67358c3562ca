/** Seals each window as soon as every probe of it has its outcome, at the latest Tmax after its end. */

import { gunzipSync, gzipSync } from 'node:zlib';
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { FramedText } from './framed-text.ts';
import type { Sealer, SummaryBody, SummaryHead } from './seal.ts';
import { Serial } from './serial.ts';
import type { Summarizer } from './summarize.ts';
import type { Traces } from './traces.ts';
import { sealDelayNs, type Window, type Windows } from './windows.ts';

export interface SealingParts {
  clock: Clock;
  windows: Windows;
  summarizer: Summarizer;
  sealer: Pick<Sealer, 'seal'>;
  /** Path traces for the next document. They stay there until it is sealed, so that no disk that refuses costs them. */
  traces: Pick<Traces, 'oldest' | 'sealed'>;
  tmaxNs: number;
  tickNs: number;
  log: Logger;
}

/** A summary that the disk does not take yet: its peers gzipped, a quarter of a megabyte instead of one and a half. */
interface WaitingSummary {
  head: SummaryHead;
  peers: Uint8Array;
}

export class Sealing {
  readonly #parts: SealingParts;
  readonly #waiting: WaitingSummary[] = [];
  /** A turn that waits for the disk and the last one at the end must not take the same summary. */
  readonly #serial = new Serial();
  #summarizer: Summarizer;
  #sealDelayNs: number;
  #readUntilNs = Number.NEGATIVE_INFINITY;
  #latest: Uint8Array | null = null;
  #refusing = false;
  #discarded = 0;

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
    await this.#sealWaiting();
    for (let window = windows.ended(clock); window && this.#isReady(window); window = windows.ended(clock)) {
      await this.#sealEnded(window);
    }
  }

  async #finish(): Promise<void> {
    const { clock, windows } = this.#parts;
    clock.read();
    await this.#sealWaiting();
    for (let window = windows.ended(clock); window; window = windows.ended(clock)) await this.#sealEnded(window);
    await this.#sealOrKeep(this.#read(windows.cutOff(clock)));
    while (this.#waiting.length > 0) this.#giveUpOldest('the agent stops and the disk refuses');
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
    await this.#sealOrKeep(body);
  }

  /** What the disk refuses waits, and so does what others wait before: the chain is in the order of the windows. */
  async #sealOrKeep(body: SummaryBody): Promise<void> {
    if (this.#waiting.length === 0) {
      const refusal = await this.#seal(body);
      if (refusal === null) return;
      if (isPermanent(refusal)) {
        this.#giveUp(refusal.message);
        return;
      }
      this.#sayWaiting(refusal);
    }
    const { peers, ...head } = body;
    this.#waiting.push({ head, peers: gzipSync(peers.octets) });
    if (this.#waiting.length > LIMITS.summariesWaitingMax) this.#giveUpOldest('the disk has refused too many');
  }

  async #sealWaiting(): Promise<void> {
    for (let waiting = this.#waiting[0]; waiting; waiting = this.#waiting[0]) {
      const refusal = await this.#seal(unpack(waiting));
      if (refusal === null) {
        this.#waiting.shift();
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
      const traces = this.#parts.traces.oldest();
      const { sequence, octets } = await this.#parts.sealer.seal(body, traces);
      this.#parts.traces.sealed(traces.length);
      this.#refusing = false;
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
    this.#giveUp(reason);
  }

  #giveUp(reason: string): void {
    this.#discarded += 1;
    this.#parts.log.error({ reason, discarded: this.#discarded }, 'a summary was given up');
  }
}

/** A summary over the limit will not shrink by waiting, and must not hold up the ones behind it. */
function isPermanent(refusal: Error): boolean {
  return refusal instanceof PopprobeError && refusal.code === 'too_large';
}

function unpack({ head, peers }: WaitingSummary): SummaryBody {
  const text = new FramedText();
  text.appendOctets(gunzipSync(peers));
  return { ...head, peers: text };
}
