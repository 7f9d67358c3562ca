/** The main thread's side of the ring: walks the probes of a window in order and seals them. */

import { PATH_WORD, type RingViews, SLOT_FLAG, SLOT_STATE, tableIndex } from './layout.ts';

/** What a probe counts as. `open`: Tmax has not passed yet. */
export type Outcome = 'received' | 'lost' | 'refused' | 'missed' | 'void' | 'open';

export class RingReader {
  readonly views: RingViews;

  constructor(views: RingViews) {
    this.views = views;
  }

  /** Sequence number of the next probe that will fall due on the path. */
  head(path: number): number {
    return Atomics.load(this.views.table, tableIndex(path, PATH_WORD.head)) >>> 0;
  }

  /** Sequence number of the path's oldest probe that is not sealed yet. Overwritten ones are skipped. */
  sealed(path: number): number {
    return this.held(path, Atomics.load(this.views.table, tableIndex(path, PATH_WORD.sealed)) >>> 0);
  }

  /** The probe of this sequence number, or the oldest one after it that has not been overwritten. */
  held(path: number, sequence: number): number {
    const capacity = this.views.table[tableIndex(path, PATH_WORD.capacity)] ?? 1;
    const head = this.head(path);
    return (head - sequence) >>> 0 > capacity ? (head - capacity) >>> 0 : sequence;
  }

  /** Declares every probe before `sequence` read: what comes for them from now on are stragglers. */
  seal(path: number, sequence: number): void {
    Atomics.store(this.views.table, tableIndex(path, PATH_WORD.sealed), sequence | 0);
  }

  slotOf(path: number, sequence: number): number {
    const { table } = this.views;
    const capacity = table[tableIndex(path, PATH_WORD.capacity)] ?? 1;
    return (table[tableIndex(path, PATH_WORD.first)] ?? 0) + (sequence & (capacity - 1));
  }

  /** The sequence number after the last unsealed probe of the path that fell due before `endNs`. */
  endOf(path: number, endNs: number): number {
    const head = this.head(path);
    let sequence = this.sealed(path);
    while (sequence !== head && (this.views.dueNs[this.slotOf(path, sequence)] ?? 0) < endNs) {
      sequence = (sequence + 1) >>> 0;
    }
    return sequence;
  }

  /**
   * What the slot's probe counts as, given how long it has been listened for since it fell due: up to `horizonNs`, since
   * a thread that was stalled finds replies that came in time. Tmax runs from the send, at most one tick later.
   */
  outcome(slot: number, ageNs: number, tmaxNs: number): Outcome {
    switch (Atomics.load(this.views.state, slot)) {
      case SLOT_STATE.received:
        return 'received';
      case SLOT_STATE.late:
        return 'lost';
      case SLOT_STATE.refused:
        return 'refused';
      case SLOT_STATE.missed:
        return 'missed';
      case SLOT_STATE.sent:
        return ageNs > tmaxNs ? this.#silent(slot) : 'open';
      case SLOT_STATE.due:
        return ageNs > tmaxNs ? 'missed' : 'open';
      default:
        return 'void';
    }
  }

  /** Every probe that fell due before this has its slot, and every reply that came before it is filed; CLOCK_MONOTONIC, ns. */
  horizonNs(): number {
    return this.views.horizonNs[0] ?? 0;
  }

  /** A word of the path table. */
  word(path: number, word: number): number {
    return Atomics.load(this.views.table, tableIndex(path, word)) >>> 0;
  }

  /** Silence while this host could not hear is no loss; an ICMP error was heard, and says what became of the probe. */
  #silent(slot: number): Outcome {
    const flags = this.views.flags[slot] ?? 0;
    return (flags & SLOT_FLAG.blind) !== 0 && (flags & SLOT_FLAG.unreachable) === 0 ? 'void' : 'lost';
  }

  /** Total of a path-table counter over all paths, modulo 2^32 per path. */
  total(word: number): number {
    let sum = 0;
    for (let path = 0; path < this.views.paths; path += 1) {
      sum += Atomics.load(this.views.table, tableIndex(path, word)) >>> 0;
    }
    return sum;
  }
}
