/** Whether the instrument itself is sick or well: sick at the first trouble, well after a while without any. */

import { LIMITS } from '../base/limits.ts';
import type { EventOf } from '../protocol/record.ts';

export type InstrumentEvent = EventOf<'instrument'>;
export type Trouble = InstrumentEvent['reasons'][number];

export class InstrumentState {
  #isSick = false;
  /** When there was trouble last, ns on CLOCK_MONOTONIC. */
  #troubledNs = Number.NEGATIVE_INFINITY;

  /**
   * Takes what trouble there was since the last look. Returns what the instrument turned to, or null when nothing changed.
   * It begins as well. Further trouble of a sick instrument is in the counts of each window.
   *
   * @param troubles without repetition
   * @param nowNs CLOCK_MONOTONIC, ns
   */
  judge(troubles: readonly Trouble[], nowNs: number): InstrumentEvent | null {
    if (troubles.length > 0) {
      this.#troubledNs = nowNs;
      return this.#isSick ? null : this.#turn('sick', troubles);
    }
    if (!this.#isSick || nowNs - this.#troubledNs < LIMITS.instrumentWellNs) return null;
    return this.#turn('well', []);
  }

  #turn(state: InstrumentEvent['state'], reasons: readonly Trouble[]): InstrumentEvent {
    this.#isSick = state === 'sick';
    return { kind: 'instrument', state, reasons: [...reasons] };
  }
}
