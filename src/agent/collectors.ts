/** The collectors that an agent may deliver to, in order of preference: which one is asked next, and how each one does. */

import { LIMITS } from '../base/limits.ts';
import { CollectorConnection } from './post.ts';
import type { Endpoint } from './route.ts';

export interface CollectorStatus {
  url: string;
  /** Whether the next document goes there. */
  inUse: boolean;
  /** The last failure or refusal in words; null before the first. It stays when things go well again. */
  lastError: string | null;
}

/** One collector, and what is remembered of it. */
export interface Collector {
  readonly connection: CollectorConnection;
  lastError: string | null;
  /** From its first failure until it answers for good again. */
  isFailing: boolean;
  /** Until when it asked to be left alone (Retry-After), and until when it is not asked out of turn; monotonic clock, ms. */
  retryAtMs: number;
  restUntilMs: number;
}

/**
 * After a failure the next one is in use; after the last comes the first. While a later one is used, each preferred one is
 * tried with a document every `LIMITS.failbackEveryMs`, and is in use again as soon as it answers for good.
 */
export class Collectors {
  readonly #all: readonly [Collector, ...Collector[]];
  #inUse: Collector;

  constructor(first: Endpoint, others: readonly Endpoint[]) {
    this.#all = [collectorAt(first), ...others.map(collectorAt)];
    [this.#inUse] = this.#all;
  }

  /** The one for the next try: a preferred one that has rested, once, else the one in use. `nowMs`: monotonic clock. */
  take(nowMs: number): Collector {
    const preferred = this.#all.slice(0, this.#all.indexOf(this.#inUse));
    const rested = preferred.find((it) => it.restUntilMs <= nowMs && it.retryAtMs <= nowMs);
    if (rested === undefined) return this.#inUse;
    // One document finds out; those beside it go where they are accepted.
    rested.restUntilMs = nowMs + LIMITS.failbackEveryMs;
    return rested;
  }

  /** It answered for good. Returns whether another one was in use. */
  worked(collector: Collector): boolean {
    const isReturn = collector !== this.#inUse;
    collector.isFailing = false;
    this.#inUse = collector;
    return isReturn;
  }

  /**
   * It did not answer for good: the next one is in use, unless this one was only tried out of turn or asks for patience.
   * Returns how long the one that is now in use has asked to be left alone, ms; null when another try is due at once.
   *
   * @param failure `retryMs` is what Retry-After asks for; `isPatient` when it works and only asks to slow down
   */
  failed(
    collector: Collector,
    failure: { reason: string; retryMs: number | null; isPatient: boolean },
    nowMs: number,
  ): number | null {
    collector.lastError = failure.reason;
    collector.isFailing = true;
    collector.retryAtMs = nowMs + (failure.retryMs ?? 0);
    collector.restUntilMs = nowMs + LIMITS.failbackEveryMs;
    if (collector !== this.#inUse) return null;
    if (!failure.isPatient) this.#inUse = this.#after(collector, nowMs);
    return Math.max(0, this.#inUse.retryAtMs - nowMs);
  }

  status(): CollectorStatus[] {
    return this.#all.map((it) => ({
      url: it.connection.url,
      inUse: it === this.#inUse,
      lastError: it.lastError,
    }));
  }

  /** Drops all connections; a post under way fails. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ connection }) => connection.close()));
  }

  /** The next in turn that has not asked to be left alone; when all have, the one that asked for the least. */
  #after(collector: Collector, nowMs: number): Collector {
    const behind = this.#all.indexOf(collector) + 1;
    const inTurn = [...this.#all.slice(behind), ...this.#all.slice(0, behind)];
    const least = inTurn.reduce((a, b) => (b.retryAtMs < a.retryAtMs ? b : a));
    return inTurn.find(({ retryAtMs }) => retryAtMs <= nowMs) ?? least;
  }
}

function collectorAt(endpoint: Endpoint): Collector {
  return {
    connection: new CollectorConnection(endpoint),
    lastError: null,
    isFailing: false,
    retryAtMs: 0,
    restUntilMs: 0,
  };
}
