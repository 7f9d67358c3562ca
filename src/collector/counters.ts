/** How often each answer was given to a posted document, and what was unusual about those that were taken. */

import type { ErrorCode } from '../base/errors.ts';
import type { Acceptance } from './store/store.ts';

/** Counts since the collector was started, as `/healthz` tells them. */
export interface IngestCounts {
  accepted: number;
  /** Of those accepted: left numbers out before them; came after a document with a higher number. */
  accepted_ahead: number;
  accepted_late: number;
  /** Of those accepted: their time ends later than `LIMITS.clockSkewMsMax` from now. */
  from_future: number;
  duplicate: number;
  /** By code; one that was never answered is absent. */
  refused: Partial<Record<ErrorCode, number>>;
}

export class IngestCounters {
  readonly #counts = { accepted: 0, accepted_ahead: 0, accepted_late: 0, from_future: 0, duplicate: 0 };
  readonly #refused = new Map<ErrorCode, number>();

  countAcceptance(acceptance: Acceptance): void {
    if (acceptance.status === 'duplicate') {
      this.#counts.duplicate += 1;
      return;
    }
    this.#counts.accepted += 1;
    if (acceptance.order === 'ahead') this.#counts.accepted_ahead += 1;
    if (acceptance.order === 'late') this.#counts.accepted_late += 1;
  }

  countFromFuture(): void {
    this.#counts.from_future += 1;
  }

  countRefusal(code: ErrorCode): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
  }

  snapshot(): IngestCounts {
    return { ...this.#counts, refused: Object.fromEntries(this.#refused) };
  }
}
