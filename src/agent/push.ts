/** Brings the spool's documents to a collector, for as long as it takes. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LIMITS } from '../base/limits.ts';
import type { TlsMaterial } from '../config/tls-files.ts';
import { backoffMs, retryAfterMs } from './backoff.ts';
import { type Collector, Collectors, type CollectorStatus } from './collectors.ts';
import { Lanes } from './lanes.ts';
import { type Answer, pack, type Parcel } from './post.ts';
import { answerSentence, failureSentence } from './push-failure.ts';
import type { Spool } from './spool.ts';
import type { SealedDocument } from './spool-file.ts';

export interface PusherOptions {
  /** Where the collectors are, the preferred one first: `https://collector.example.net`. */
  urls: readonly [string, ...string[]];
  tls: TlsMaterial;
  /** `http://host:port` of an HTTP proxy, or null. */
  proxy: string | null;
  spool: Spool;
  log: Logger;
  /** Uniform in [0, 1), for the jitter. */
  random: () => number;
  /** Wall clock, ms since the Unix epoch. */
  nowMs: () => number;
  /** Monotonic clock, ms: what is counted off is not to be moved by a step of the other. By default the process' own. */
  monotonicMs?: () => number;
  /** Settles after `ms`, or rejects when `signal` aborts. By default a timer. */
  wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

export interface PushStatus {
  /** The newest document the collector has said it has, and when it last said so of any; null before the first. */
  lastAcceptedSequence: number | null;
  lastAcceptedAtMs: number | null;
  /** The last failure or refusal in words; it stays when things go well again. */
  lastError: string | null;
  /** Tries that failed since one was answered for good; 0 when all is well. */
  failuresInARow: number;
  /** Documents refused for good since the agent started. */
  quarantined: number;
  /** In order of preference. */
  collectors: CollectorStatus[];
}

/** Answers that will be the same next time: trying again would only hold up the documents behind. */
const PERMANENT_REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 409, 413, 422]);
/** The collector works and asks to slow down: another one is not to be flooded instead. */
const TOO_MANY_REQUESTS = 429;

export class Pusher {
  readonly #options: PusherOptions;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly #monotonicMs: () => number;
  readonly #collectors: Collectors;
  readonly #lanes = new Lanes();
  readonly #stopping = new AbortController();
  /** Aborts the try that is under way. */
  readonly #givingUp = new AbortController();
  #loop: Promise<void> | null = null;
  #parcel: Parcel | null = null;
  readonly #status: Omit<PushStatus, 'collectors'> = {
    lastAcceptedSequence: null,
    lastAcceptedAtMs: null,
    lastError: null,
    failuresInARow: 0,
    quarantined: 0,
  };

  constructor(options: PusherOptions) {
    const { urls, tls, proxy } = options;
    const [first, ...others] = urls;
    this.#options = options;
    this.#wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }));
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#collectors = new Collectors(
      { url: first, tls, proxy },
      others.map((url) => ({ url, tls, proxy })),
    );
  }

  status(): PushStatus {
    return { ...this.#status, collectors: this.#collectors.status() };
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
    await this.#collectors.close();
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
      const turn = this.#lanes.next(spool.waiting, this.#monotonicMs());
      if ('waitMs' in turn) {
        await this.#paceBacklog(turn.waitMs, stopping);
        return 0;
      }
      const collector = this.#collectors.next(this.#monotonicMs());
      const parcel = await this.#packed(turn.end, collector);
      return parcel === null ? 0 : await this.#deliver(parcel, collector);
    } catch (error) {
      // Nothing that a collector has to do with: the disk.
      const isFirst = this.#status.failuresInARow === 0;
      return this.#postponed({ reason: failureSentence(error) }, isFirst ? 'warn' : 'debug', 0);
    }
  }

  /** Kept from try to try: a megabyte is not read and compressed again each time a collector is away. */
  async #packed(end: 'oldest' | 'newest', { connection }: Collector): Promise<Parcel | null> {
    const { spool } = this.#options;
    const { encoding } = connection;
    if (this.#parcel?.sequence !== spool.waiting[end] || this.#parcel?.encoding !== encoding) {
      const document: SealedDocument | null = await spool[end]();
      this.#parcel = document && (await pack(document, encoding));
    }
    return this.#parcel;
  }

  async #deliver(parcel: Parcel, collector: Collector): Promise<number> {
    const { connection } = collector;
    let answer: Answer;
    try {
      answer = await connection.post(parcel, this.#givingUp.signal);
    } catch (error) {
      return this.#failed(collector, failureSentence(error, connection.url), null);
    }
    if (answer.status === 200) {
      this.#noteReturn(collector);
      await this.#accepted(parcel.sequence);
      return 0;
    }
    if (answer.isEncodingRefused) return 0;
    if (PERMANENT_REFUSALS.has(answer.status)) {
      this.#noteReturn(collector);
      await this.#refused(parcel.sequence, answer, collector);
      return 0;
    }
    return this.#failed(collector, answerSentence(answer), answer);
  }

  #noteReturn(collector: Collector): void {
    const { url } = collector.connection;
    if (this.#collectors.worked(collector)) this.#options.log.info({ url }, 'back at a preferred collector');
  }

  async #accepted(sequence: number): Promise<void> {
    const { spool, log, nowMs } = this.#options;
    await spool.delivered(sequence);
    if (this.#status.failuresInARow > 0) {
      log.info({ sequence, failures: this.#status.failuresInARow }, 'the collector accepts documents again');
    }
    this.#status.lastAcceptedSequence = Math.max(sequence, this.#status.lastAcceptedSequence ?? 0);
    this.#status.lastAcceptedAtMs = nowMs();
    this.#settled(sequence);
  }

  async #refused(sequence: number, answer: Answer, collector: Collector): Promise<void> {
    const { spool, log } = this.#options;
    const reason = answerSentence(answer);
    await spool.quarantine(sequence, reason);
    log.error(
      { sequence, status: answer.status, code: answer.code },
      `the collector refuses a document for good, it is in the quarantine: ${reason}`,
    );
    collector.lastError = reason;
    this.#status.lastError = reason;
    this.#status.quarantined += 1;
    this.#settled(sequence);
  }

  #settled(sequence: number): void {
    this.#status.failuresInARow = 0;
    this.#parcel = null;
    this.#lanes.settled(sequence, this.#monotonicMs(), this.#options.random());
  }

  /** A long outage is one warning for each collector, not one a minute. */
  #failed(collector: Collector, reason: string, answer: Answer | null): number {
    const { url } = collector.connection;
    const level = collector.isFailing ? 'debug' : 'warn';
    const retryMs = retryAfterMs(answer?.retryAfter ?? null, this.#options.nowMs());
    const isPatient = answer?.status === TOO_MANY_REQUESTS;
    const restMs = this.#collectors.failed(collector, { reason, retryMs, isPatient }, this.#monotonicMs());
    if (restMs !== null) return this.#postponed({ url, reason }, level, restMs);
    this.#status.lastError = reason;
    this.#options.log[level]({ url, reason }, 'a preferred collector does not accept documents yet');
    return 0;
  }

  /** Jitter comes on top of Retry-After, which is `restMs`: all PoPs were told the same. */
  #postponed(what: { url?: string; reason: string }, level: 'warn' | 'debug', restMs: number): number {
    const { log, random } = this.#options;
    this.#status.lastError = what.reason;
    this.#status.failuresInARow += 1;
    const failures = this.#status.failuresInARow;
    const waitMs = Math.round(restMs + backoffMs(failures, random()));
    log[level]({ ...what, failures, waitMs }, 'cannot deliver, will try again');
    return waitMs;
  }

  /** Waits for the backlog's turn; a new window does not. */
  async #paceBacklog(waitMs: number, stopping: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const end = (): void => enough.abort();
    stopping.addEventListener('abort', end, { once: true });
    try {
      await Promise.race([this.#wait(waitMs, enough.signal), this.#options.spool.appended(enough.signal)]);
    } catch (error) {
      if (!stopping.aborted) throw error;
    } finally {
      stopping.removeEventListener('abort', end);
      end();
    }
  }

  async #pause(waitMs: number, stopping: AbortSignal): Promise<void> {
    try {
      await this.#wait(waitMs, stopping);
    } catch (error) {
      if (!stopping.aborted) throw error;
    }
  }
}
