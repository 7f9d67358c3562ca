/** A clock that goes as fast as it is told to. */

import type { Clock } from '../../src/base/clock.ts';
import { type MonoNs, NS_PER_S } from '../../src/base/units.ts';

/** CLOCK_REALTIME of the start: the beginning of a window. */
const START_UNIX_S = 1_700_000_040;

/** Whole nanoseconds, so that both clocks stay exact over a day. */
export class EmulatedClock implements Clock {
  monoNs = 0 as MonoNs;
  wallSeconds = START_UNIX_S;
  wallNanoseconds = 0;
  #nowNs = 0;

  read(): void {
    this.monoNs = this.#nowNs as MonoNs;
    this.wallSeconds = START_UNIX_S + Math.floor(this.#nowNs / NS_PER_S);
    this.wallNanoseconds = this.#nowNs % NS_PER_S;
  }

  suspendedNs(): number {
    return 0;
  }

  /** Time passes, at least a nanosecond. */
  advance(ns: number): void {
    this.#nowNs += Math.max(1, Math.ceil(ns));
  }
}
