/** Decides whether documents have waited for too long, by a clock that may be wrong. */

import { LIMITS } from '../base/limits.ts';

export class OverAge {
  readonly #maxMs: number;
  /** Since when the oldest has looked too old, ms of the monotonic clock. */
  #sinceMs: number | null = null;

  /** @param maxMs how long a document may wait */
  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** Whether a document of this age, by the wall clock, has looked too old for long enough to go. */
  isOver(ageMs: number, monotonicMs: number): boolean {
    if (!this.looksOver(ageMs)) {
      this.#sinceMs = null;
      return false;
    }
    this.#sinceMs ??= monotonicMs;
    return monotonicMs - this.#sinceMs >= LIMITS.spoolAgeGraceMs;
  }

  /** Whether the wall clock says so. */
  looksOver(ageMs: number): boolean {
    return ageMs > this.#maxMs;
  }
}
