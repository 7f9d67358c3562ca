/** Sees CLOCK_REALTIME jump, second by second, for the record. */

import { type Clock, unixMsAt } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import { StepWatch } from '../probe/step-watch.ts';

export interface ClockStep {
  /** Positive when CLOCK_REALTIME jumped forward. */
  stepNs: number;
  /** When it was seen, by the clock after the jump. */
  atUnixMs: number;
}

export class ClockSteps {
  readonly #clock: Clock;
  readonly #watch = new StepWatch();
  #windowNs = Number.NaN;
  #toldInWindow = 0;
  #untold = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    clock.read();
    this.#watch.observe(clock);
  }

  /** Steps that were seen and not told, since the agent started: beyond LIMITS.clockStepsPerWindowMax in their window. */
  get untold(): number {
    return this.#untold;
  }

  /**
   * The step since the last turn, or null. Called each second.
   *
   * @param windowNs tells the running window from the one before, such as the instant at which it began
   */
  turn(windowNs: number): ClockStep | null {
    this.#clock.read();
    if (windowNs !== this.#windowNs) this.#toldInWindow = 0;
    this.#windowNs = windowNs;
    if (!this.#watch.observe(this.#clock)) return null;
    if (this.#toldInWindow === LIMITS.clockStepsPerWindowMax) {
      this.#untold += 1;
      return null;
    }
    this.#toldInWindow += 1;
    return {
      stepNs: Math.round(this.#watch.lastStepNs),
      atUnixMs: unixMsAt(this.#clock, this.#clock.monoNs),
    };
  }
}
