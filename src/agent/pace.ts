/** How much of a backlog is under way at a time: more while the collector answers fast, half when it does not. */

import { LIMITS } from '../base/limits.ts';

/**
 * Additive increase, multiplicative decrease, as TCP does with its window (RFC 5681 section 3.1): agents that share a
 * collector come to equal shares of it, and each tries no more than one document more for every round of answers.
 */
export class Pace {
  #width = 1;
  /** Tries that began before say nothing of the pace since. */
  #slowedAtMs = Number.NEGATIVE_INFINITY;

  /** Documents of the backlog that may be under way. */
  get width(): number {
    return Math.floor(this.#width);
  }

  /** Another backlog begins with one document at a time. */
  restart(): void {
    this.#width = 1;
  }

  /** A document was answered for good. Times on the monotonic clock, ms. */
  answered(beganMs: number, endedMs: number): void {
    if (endedMs - beganMs > LIMITS.pushSlowMs) this.slow(beganMs, endedMs);
    else this.#width = Math.min(LIMITS.pushBacklogWidthMax, this.#width + 1 / this.#width);
  }

  /** A try that began at `beganMs` failed, or took long. Of those that were under way together only one counts. */
  slow(beganMs: number, nowMs: number): void {
    if (beganMs < this.#slowedAtMs) return;
    this.#slowedAtMs = nowMs;
    this.#width = Math.max(1, this.#width / 2);
  }
}
