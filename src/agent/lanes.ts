/** Which document goes next: after an outage the newest at once, and the backlog behind it at a bounded rate. */

import { LIMITS } from '../base/limits.ts';

/** What the spool holds: how many documents, and the sequence numbers at its ends. */
export interface Waiting {
  count: number;
  oldest: number | null;
  newest: number | null;
}

/** The end of the spool to deliver from, or how long to wait until the backlog may go on, ms. */
export type Turn = { end: 'oldest' | 'newest' } | { waitMs: number };

export class Lanes {
  /** No window newer than this one is known to the collector. */
  #newestSettled = 0;
  #backlogAtMs = 0;

  /** `nowMs`: monotonic clock, ms. */
  next({ count, newest }: Waiting, nowMs: number): Turn {
    if (count <= LIMITS.pushInOrderMax) return { end: 'oldest' };
    if (newest !== null && newest > this.#newestSettled) return { end: 'newest' };
    return nowMs >= this.#backlogAtMs ? { end: 'oldest' } : { waitMs: Math.ceil(this.#backlogAtMs - nowMs) };
  }

  /**
   * A document has left the spool, accepted or refused. The pace has jitter: PoPs that find their collector again at one
   * instant must not go on in step.
   *
   * @param nowMs monotonic clock, ms
   * @param random uniform in [0, 1)
   */
  settled(sequence: number, nowMs: number, random: number): void {
    this.#newestSettled = Math.max(this.#newestSettled, sequence);
    this.#backlogAtMs = nowMs + LIMITS.catchUpEveryMs * (0.5 + random);
  }
}
