/** Counts the outcomes of probes out of the ring as it turns, as the agent's summaries do, and keeps samples if asked. */

import { SLOT_STATE } from '../src/ring/layout.ts';
import type { Outcome, RingReader } from '../src/ring/reader.ts';
import { differenceNs } from '../src/wire/ntp-time.ts';

/** `due` is the sum of all others but `late`, which is part of `lost`. */
export type Outcomes = Record<Exclude<Outcome, 'open'> | 'due' | 'late', number>;

/** A probe's raw round trip, T4 - T1, as the engine would report it. */
export interface Sample {
  sequence: number;
  rttNs: number;
}

export class Tally {
  readonly outcomes: Outcomes = { due: 0, received: 0, lost: 0, late: 0, refused: 0, missed: 0, void: 0 };
  readonly samples: Sample[] = [];
  readonly #ring: RingReader;
  readonly #tmaxNs: number;
  readonly #keepsSamples: boolean;

  constructor(ring: RingReader, tmaxNs: number, keepsSamples: boolean) {
    this.#ring = ring;
    this.#tmaxNs = tmaxNs;
    this.#keepsSamples = keepsSamples;
  }

  /** Where every path stands now: every later `turn` may be told to go no further. */
  heads(): number[] {
    return Array.from({ length: this.#ring.views.paths }, (_, path) => this.#ring.head(path));
  }

  /** Counts and seals every probe that has its outcome. Returns true when all before `heads` have. */
  turn(nowNs: number, heads: readonly number[] = this.heads()): boolean {
    let isComplete = true;
    for (const [path, head] of heads.entries()) {
      let sequence = this.#ring.sealed(path);
      while (sequence !== head && this.#count(path, sequence, nowNs)) sequence = (sequence + 1) >>> 0;
      this.#ring.seal(path, sequence);
      if (sequence !== head) isComplete = false;
    }
    return isComplete;
  }

  #count(path: number, sequence: number, nowNs: number): boolean {
    const { views } = this.#ring;
    const slot = this.#ring.slotOf(path, sequence);
    const heardNs = Math.min(nowNs, this.#ring.horizonNs());
    const outcome = this.#ring.outcome(slot, heardNs - (views.dueNs[slot] ?? 0), this.#tmaxNs);
    if (outcome === 'open') return false;
    this.outcomes.due += 1;
    this.outcomes[outcome] += 1;
    if (views.state[slot] === SLOT_STATE.late) this.outcomes.late += 1;
    if (this.#keepsSamples && outcome === 'received') this.samples.push({ sequence, rttNs: this.#roundTripNs(slot) });
    return true;
  }

  #roundTripNs(slot: number): number {
    const { views } = this.#ring;
    const sinceT1Ns = differenceNs(
      views.t4Seconds[slot] ?? 0,
      views.t4Nanoseconds[slot] ?? 0,
      views.t1Seconds[slot] ?? 0,
      views.t1Nanoseconds[slot] ?? 0,
    );
    return sinceT1Ns - (views.txDeltaNs[slot] ?? 0);
  }
}
