/** Brings the spool's documents to the collector, oldest first, for as long as it takes. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LIMITS } from '../base/limits.ts';
import { backoffMs, retryAfterMs } from './backoff.ts';
import { errnoOf } from './disk-error.ts';
import { type Answer, CollectorConnection, pack, type Parcel } from './post.ts';
import type { Spool } from './spool.ts';

export interface PusherOptions {
  /** Where the collector is: `https://collector.example.net`. */
  url: string;
  /** Certificates (PEM) to trust instead of the public ones. */
  ca?: string;
  spool: Spool;
  log: Logger;
  /** Uniform in [0, 1), for the jitter. */
  random: () => number;
  /** Wall clock, ms since the Unix epoch. */
  nowMs: () => number;
  /** Settles after `ms`, or rejects when `signal` aborts. By default a timer. */
  wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

export interface PushStatus {
  /** The newest document the collector has said it has, and when; null before the first. */
  lastAcceptedSequence: number | null;
  lastAcceptedAtMs: number | null;
  /** The last failure or refusal in words; it stays when things go well again. */
  lastError: string | null;
  /** Tries that failed since one was answered for good; 0 when all is well. */
  failuresInARow: number;
  /** Documents refused for good since the agent started. */
  quarantined: number;
}

/** Answers that will be the same next time: trying again would only hold up the documents behind. */
const PERMANENT_REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 409, 413, 422]);

export class Pusher {
  readonly #options: PusherOptions;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly #collector: CollectorConnection;
  readonly #stopping = new AbortController();
  /** Aborts the try that is under way. */
  readonly #givingUp = new AbortController();
  #loop: Promise<void> | null = null;
  #parcel: Parcel | null = null;
  readonly #status: PushStatus = {
    lastAcceptedSequence: null,
    lastAcceptedAtMs: null,
    lastError: null,
    failuresInARow: 0,
    quarantined: 0,
  };

  constructor(options: PusherOptions) {
    this.#options = options;
    this.#wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }));
    this.#collector = new CollectorConnection(options.url, options.ca);
  }

  status(): PushStatus {
    return { ...this.#status };
  }

  start(): void {
    this.#loop ??= this.#run(this.#stopping.signal);
  }

  /** Ends a wait at once; a try that is under way gets a moment to finish. What was not delivered stays spooled. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const grace = setTimeout(() => this.#givingUp.abort(), LIMITS.pushStopGraceMs);
    await this.#loop;
    clearTimeout(grace);
    await this.#collector.close();
  }

  async #run(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const waitMs = await this.#round(stopping);
      if (waitMs > 0) await this.#pause(waitMs, stopping);
    }
  }

  /** One document, one try. Returns how long to wait before the next, ms; whatever goes wrong is a failed try. */
  async #round(stopping: AbortSignal): Promise<number> {
    const { spool } = this.#options;
    try {
      await spool.nonEmpty(stopping);
      if (stopping.aborted) return 0;
      if (this.#parcel?.sequence !== spool.oldestSequence) this.#parcel = await this.#packOldest();
      return this.#parcel === null ? 0 : await this.#deliver(this.#parcel);
    } catch (error) {
      return this.#failed(describe(error), null);
    }
  }

  /** Kept from try to try: a megabyte is not read and compressed again each time a collector is away. */
  async #packOldest(): Promise<Parcel | null> {
    const document = await this.#options.spool.oldest();
    return document && (await pack(document));
  }

  async #deliver(parcel: Parcel): Promise<number> {
    const answer = await this.#collector.post(parcel, this.#givingUp.signal);
    if (answer.status === 200) {
      await this.#accepted(parcel.sequence);
      return 0;
    }
    if (PERMANENT_REFUSALS.has(answer.status)) {
      await this.#refused(parcel.sequence, answer);
      return 0;
    }
    const retryMs = retryAfterMs(answer.retryAfter, this.#options.nowMs());
    return this.#failed(sentenceOf(answer), retryMs);
  }

  async #accepted(sequence: number): Promise<void> {
    const { spool, log, nowMs } = this.#options;
    await spool.delivered(sequence);
    if (this.#status.failuresInARow > 0) {
      log.info({ sequence, failures: this.#status.failuresInARow }, 'the collector accepts documents again');
    }
    this.#status.lastAcceptedSequence = sequence;
    this.#status.lastAcceptedAtMs = nowMs();
    this.#status.failuresInARow = 0;
  }

  async #refused(sequence: number, answer: Answer): Promise<void> {
    const { spool, log } = this.#options;
    const reason = sentenceOf(answer);
    await spool.quarantine(sequence, reason);
    log.error(
      { sequence, status: answer.status, code: answer.code },
      `the collector refuses a document for good, it is in the quarantine: ${reason}`,
    );
    this.#status.lastError = reason;
    this.#status.failuresInARow = 0;
    this.#status.quarantined += 1;
  }

  /** A long outage is one warning, not one a minute. Jitter comes on top of Retry-After: all PoPs were told the same. */
  #failed(reason: string, retryMs: number | null): number {
    const { log, random } = this.#options;
    this.#status.lastError = reason;
    this.#status.failuresInARow += 1;
    const failures = this.#status.failuresInARow;
    const waitMs = Math.round((retryMs ?? 0) + backoffMs(failures, random()));
    log[failures === 1 ? 'warn' : 'debug']({ reason, failures, waitMs }, 'cannot deliver, will try again');
    return waitMs;
  }

  async #pause(waitMs: number, stopping: AbortSignal): Promise<void> {
    try {
      await this.#wait(waitMs, stopping);
    } catch (error) {
      if (!stopping.aborted) throw error;
    }
  }
}

function sentenceOf(answer: Answer): string {
  const code = answer.code === null ? '' : ` ${answer.code}`;
  return `HTTP ${answer.status}${code}: ${answer.message}`;
}

/** With its code first: a refused connection on a host with two address families carries no message at all. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [errnoOf(error), error.message].filter(Boolean).join(': ');
}
