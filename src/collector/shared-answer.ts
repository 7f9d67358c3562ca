/** An answer that is dear to make: it is made once for all who wait for it, and ingestion has the thread in between. */

import { setTimeout } from 'node:timers/promises';

/** After an answer the next one waits this many times as long as it took: it has a quarter of the thread at most. */
const PAUSES = 3;

/** Whoever asks gets an answer that was begun after he asked. */
export class SharedAnswer<Answer> {
  readonly #make: () => Promise<Answer>;
  readonly #monotonicMs: () => number;
  #next: Promise<Answer> | null = null;
  #before: Promise<unknown> = Promise.resolve();
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  /** @param monotonicMs monotonic clock, ms */
  constructor(make: () => Promise<Answer>, monotonicMs: () => number) {
    this.#make = make;
    this.#monotonicMs = monotonicMs;
  }

  /** @throws what making it throws */
  give(): Promise<Answer> {
    if (this.#next === null) {
      this.#next = this.#before.then(() => this.#makeNext());
      this.#before = this.#next.catch(() => undefined);
    }
    return this.#next;
  }

  async #makeNext(): Promise<Answer> {
    // Also without a pause in a later turn: all questions that one connection sends at once are there then.
    await setTimeout(Math.max(0, this.#notBeforeMs - this.#monotonicMs()));
    this.#next = null;
    const beginMs = this.#monotonicMs();
    try {
      return await this.#make();
    } finally {
      const endMs = this.#monotonicMs();
      this.#notBeforeMs = endMs + PAUSES * (endMs - beginMs);
    }
  }
}
