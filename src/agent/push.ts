/** Brings the spool's documents to a collector, for as long as it takes. */

import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LIMITS } from '../base/limits.ts';
import type { TlsMaterial } from '../config/tls-files.ts';
import { backoffMs, retryAfterMs } from './backoff.ts';
import { type Collector, Collectors, type CollectorStatus } from './collectors.ts';
import { Lanes, type Turn } from './lanes.ts';
import { Pace } from './pace.ts';
import { type Answer, pack, type Parcel } from './post.ts';
import { answerSentence, failureSentence } from './push-failure.ts';
import type { Spool } from './spool.ts';

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

/** Why nothing is sent for a while: how often it went wrong in a row, and whether the wait after that is still on. */
interface Trouble {
  failures: number;
  isHeld: boolean;
}

/** A document on its way. */
interface Try extends Turn {
  collector: Collector;
  /** Monotonic clock. */
  beganMs: number;
  /** Of the failures so far, how many had been counted when it began. */
  failuresBefore: number;
}

export class Pusher {
  readonly #options: PusherOptions;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly #monotonicMs: () => number;
  readonly #collectors: Collectors;
  readonly #lanes = new Lanes();
  readonly #pace = new Pace();
  readonly #stopping = new AbortController();
  /** Aborts the tries that are under way. */
  readonly #givingUp = new AbortController();
  /** What has to come to its end before the pusher has stopped. */
  readonly #running = new Set<Promise<void>>();
  #isStarted = false;
  #isCatchingUp = false;
  /** What concerns every document: the collector does not answer, or refuses what was sealed now. */
  readonly #trouble: Trouble = { failures: 0, isHeld: false };
  /** What concerns the backlog alone: it goes too fast, or one of its documents makes the collector fail. */
  readonly #backlogTrouble: Trouble = { failures: 0, isHeld: false };
  #failuresCounted = 0;
  /** Of the last failed try: a megabyte is not read and compressed again each time a collector is away. */
  #kept: Parcel | null = null;
  readonly #status: Omit<PushStatus, 'collectors' | 'failuresInARow'> = {
    lastAcceptedSequence: null,
    lastAcceptedAtMs: null,
    lastError: null,
    quarantined: 0,
  };

  constructor(options: PusherOptions) {
    const { urls, tls, proxy } = options;
    const [first, ...others] = urls;
    this.#options = options;
    this.#wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }));
    // One for each try: Node.js takes more than ten for a leak.
    setMaxListeners(2 + LIMITS.pushBacklogWidthMax, this.#givingUp.signal);
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#collectors = new Collectors(
      { url: first, tls, proxy },
      others.map((url) => ({ url, tls, proxy })),
    );
  }

  status(): PushStatus {
    return {
      ...this.#status,
      failuresInARow: this.#trouble.failures + this.#backlogTrouble.failures,
      collectors: this.#collectors.status(),
    };
  }

  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#track(this.#watchSpool());
    this.#sendNext();
  }

  /** Ends every wait at once; tries that are under way get a moment to finish. What was not delivered stays spooled. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const grace = setTimeout(() => this.#givingUp.abort(), LIMITS.pushStopGraceMs);
    while (this.#running.size > 0) await Promise.all(this.#running);
    clearTimeout(grace);
    await this.#collectors.close();
  }

  #track(task: Promise<void>): void {
    const tracked = task.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #watchSpool(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#options.spool.appended(signal);
      this.#sendNext();
    }
  }

  /** Sends whatever may go now. Called whenever something has changed: a document came, a try or a wait has ended. */
  #sendNext(): void {
    for (let turn = this.#nextTurn(); turn !== null; turn = this.#nextTurn()) {
      this.#lanes.begin(turn);
      this.#track(this.#send(turn));
    }
  }

  #nextTurn(): Turn | null {
    if (this.#stopping.signal.aborted || this.#trouble.isHeld) return null;
    const width = this.#width();
    const { isHeld: isBacklogHeld } = this.#backlogTrouble;
    return this.#lanes.next(this.#options.spool, { width, isBacklogHeld, isAlone: this.#trouble.failures > 0 });
  }

  /** How many documents of the backlog may be under way. */
  #width(): number {
    const isBehind = this.#options.spool.waiting.count > LIMITS.pushInOrderMax;
    if (isBehind && !this.#isCatchingUp) {
      this.#pace.restart();
      // PoPs that find their collector again at one instant must not go on in step.
      this.#hold(this.#backlogTrouble, Math.round(this.#options.random() * LIMITS.catchUpStartMsMax));
    }
    this.#isCatchingUp = isBehind;
    if (this.#backlogTrouble.isHeld) return 0;
    if (!isBehind) {
      // What is left of it goes with what is sealed now.
      this.#backlogTrouble.failures = 0;
      return 0;
    }
    return this.#backlogTrouble.failures > 0 ? 1 : this.#pace.width;
  }

  /** One document, one try; whatever goes wrong is a failed try. */
  async #send(turn: Turn): Promise<void> {
    const failuresBefore = this.#failuresCounted;
    try {
      const collector = this.#collectors.take(this.#monotonicMs());
      const parcel = await this.#packed(turn, collector);
      if (parcel !== null) {
        await this.#deliver(parcel, { ...turn, collector, beganMs: this.#monotonicMs(), failuresBefore });
      }
    } catch (error) {
      // Nothing that a collector has to do with: the disk.
      const level = this.#trouble.failures === 0 ? 'warn' : 'debug';
      const backoff = { restMs: 0, maxMs: LIMITS.pushBackoffMsMax };
      this.#postpone(this.#trouble, { reason: failureSentence(error) }, level, backoff);
    } finally {
      this.#lanes.end(turn);
    }
    this.#sendNext();
  }

  async #packed({ sequence }: Turn, { connection: { encoding } }: Collector): Promise<Parcel | null> {
    if (this.#kept?.sequence === sequence && this.#kept.encoding === encoding) return this.#kept;
    const document = await this.#options.spool.read(sequence);
    return document && (await pack(document, encoding));
  }

  async #deliver(parcel: Parcel, attempt: Try): Promise<void> {
    const { connection } = attempt.collector;
    let answer: Answer;
    try {
      answer = await connection.post(parcel, attempt.isBacklog, this.#givingUp.signal);
    } catch (error) {
      this.#failed(parcel, attempt, failureSentence(error, connection.url), null);
      return;
    }
    // Packed otherwise, it is sent again at once.
    if (answer.isEncodingRefused) return;
    if (answer.status === 200) await this.#accepted(attempt);
    else if (PERMANENT_REFUSALS.has(answer.status)) await this.#refused(attempt, answer);
    else this.#failed(parcel, attempt, answerSentence(answer), answer);
  }

  async #accepted(attempt: Try): Promise<void> {
    const { sequence } = attempt;
    this.#noteReturn(attempt);
    await this.#options.spool.delivered(sequence);
    this.#status.lastAcceptedSequence = Math.max(sequence, this.#status.lastAcceptedSequence ?? 0);
    this.#status.lastAcceptedAtMs = this.#options.nowMs();
    this.#settled(attempt);
  }

  async #refused(attempt: Try, answer: Answer): Promise<void> {
    const { sequence, collector } = attempt;
    const reason = answerSentence(answer);
    this.#noteReturn(attempt);
    await this.#options.spool.quarantine(sequence, reason);
    this.#options.log.error(
      { sequence, status: answer.status, code: answer.code },
      `the collector refuses a document for good, it is in the quarantine: ${reason}`,
    );
    collector.lastError = reason;
    this.#status.lastError = reason;
    this.#status.quarantined += 1;
    this.#settled(attempt);
  }

  #noteReturn({ collector }: Try): void {
    const { url } = collector.connection;
    if (this.#collectors.worked(collector)) this.#options.log.info({ url }, 'back at a preferred collector');
  }

  #settled({ sequence, isBacklog, beganMs }: Try): void {
    const { failures } = this.#trouble;
    if (failures > 0) this.#options.log.info({ sequence, failures }, 'the collector accepts documents again');
    this.#trouble.failures = 0;
    if (isBacklog) {
      this.#backlogTrouble.failures = 0;
      this.#pace.answered(beganMs, this.#monotonicMs());
    }
    if (this.#kept?.sequence === sequence) this.#kept = null;
  }

  /** A long outage is one warning for each collector, not one a minute. */
  #failed(parcel: Parcel, attempt: Try, reason: string, answer: Answer | null): void {
    const { collector, isBacklog, failuresBefore, beganMs } = attempt;
    const { url } = collector.connection;
    // What broke one try broke those beside it: an outage counts once, and changes the collector once.
    if (failuresBefore !== this.#failuresCounted) {
      this.#options.log.debug({ url, reason }, 'cannot deliver, as others that were under way');
      return;
    }
    const isPatient = answer?.status === TOO_MANY_REQUESTS;
    // A collector that asks a backlog to slow down is doing well.
    const level = collector.isFailing || (isPatient && isBacklog) ? 'debug' : 'warn';
    const retryMs = retryAfterMs(answer?.retryAfter ?? null, this.#options.nowMs());
    const restMs = this.#collectors.failed(collector, { reason, retryMs, isPatient }, this.#monotonicMs());
    this.#kept = parcel;
    if (restMs === null) {
      this.#status.lastError = reason;
      this.#options.log[level]({ url, reason }, 'a preferred collector does not accept documents yet');
      return;
    }
    this.#pace.slow(beganMs, this.#monotonicMs());
    // An answer that a document of the backlog gets says nothing of what is sealed now.
    const trouble = isBacklog && answer !== null ? this.#backlogTrouble : this.#trouble;
    const maxMs = isPatient ? LIMITS.pushBusyBackoffMsMax : LIMITS.pushBackoffMsMax;
    this.#postpone(trouble, { url, reason }, level, { restMs, maxMs });
  }

  /** Jitter comes on top of Retry-After, which is `restMs`: all PoPs were told the same. */
  #postpone(
    trouble: Trouble,
    what: { url?: string; reason: string },
    level: 'warn' | 'debug',
    { restMs, maxMs }: { restMs: number; maxMs: number },
  ): void {
    const { log, random } = this.#options;
    this.#status.lastError = what.reason;
    this.#failuresCounted += 1;
    trouble.failures += 1;
    const { failures } = trouble;
    const waitMs = Math.round(restMs + backoffMs(failures, random(), maxMs));
    log[level]({ ...what, failures, waitMs }, 'cannot deliver, will try again');
    this.#hold(trouble, waitMs);
  }

  #hold(trouble: Trouble, waitMs: number): void {
    if (waitMs === 0 || this.#stopping.signal.aborted) return;
    trouble.isHeld = true;
    this.#track(this.#release(trouble, waitMs));
  }

  async #release(trouble: Trouble, waitMs: number): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await this.#wait(waitMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    trouble.isHeld = false;
    this.#sendNext();
  }
}
