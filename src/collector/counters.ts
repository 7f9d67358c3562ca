/** How often each answer was given to a posted document. */

import type { ErrorCode } from '../base/errors.ts';
import type { Acceptance } from './store/store.ts';

/** Counts since the collector was started. */
export class IngestCounters {
  #accepted = 0;
  #duplicate = 0;
  readonly #refused = new Map<ErrorCode, number>();

  countAcceptance(acceptance: Acceptance): void {
    if (acceptance === 'accepted') this.#accepted += 1;
    else this.#duplicate += 1;
  }

  countRefusal(code: ErrorCode): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
  }

  /** All counts; a code that was never answered is absent. */
  snapshot(): { accepted: number; duplicate: number; refused: Partial<Record<ErrorCode, number>> } {
    return { accepted: this.#accepted, duplicate: this.#duplicate, refused: Object.fromEntries(this.#refused) };
  }
}
