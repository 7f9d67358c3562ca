/** Remembers windows that were measured and given up, until a record has declared them. */

import type { EventOf } from '../protocol/record.ts';
import type { Summary } from '../protocol/summary.ts';

type Unsealed = EventOf<'unsealed'>;
export type UnsealedReason = Unsealed['reason'];

/** One range for each reason, however many windows there are: what the disk refuses for hours lies side by side. */
export class UnsealedWindows {
  readonly #ranges: Unsealed[] = [];

  /** The windows of this reason are declared by one record, from the first one's begin to the last one's end. */
  add({ start_unix_s, length_s }: Summary['window'], reason: UnsealedReason): void {
    const end = start_unix_s + length_s;
    const range = this.#ranges.find((known) => known.reason === reason);
    if (range === undefined) {
      this.#ranges.push({ kind: 'unsealed', from_unix_s: start_unix_s, to_unix_s: end, windows: 1, reason });
      return;
    }
    range.from_unix_s = Math.min(range.from_unix_s, start_unix_s);
    range.to_unix_s = Math.max(range.to_unix_s, end);
    range.windows += 1;
  }

  /** What is to be declared next, or null. It stays until `declared`. */
  next(): Unsealed | null {
    return this.#ranges[0] ?? null;
  }

  /** What `next` gave is on record. */
  declared(): void {
    this.#ranges.shift();
  }
}
