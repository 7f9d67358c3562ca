/** Notices steps of CLOCK_REALTIME against CLOCK_MONOTONIC: kernel stamps on either side of a step cannot be subtracted. */

import type { Clock } from '../base/clock.ts';
import { NS_PER_S } from '../base/units.ts';

/**
 * The two clocks are not read at the same instant; a busy host adds this much. Nothing is allowed for slewing: Linux slews
 * both clocks alike, their difference changes by steps only.
 */
const READING_NS_MAX = 1_000_000;

export class StepWatch {
  /** Steps seen so far. */
  steps = 0;
  /** The last step, ns; positive when CLOCK_REALTIME jumped forward. */
  lastStepNs = 0;
  /** CLOCK_MONOTONIC at the reading that showed the last step, ns. */
  lastStepAtNs = Number.NEGATIVE_INFINITY;
  #seconds = 0;
  #nanoseconds = 0;
  #monoNs = 0;
  #started = false;

  /** Compares both clocks with the reading before; true when CLOCK_REALTIME was stepped in between. */
  observe(clock: Clock): boolean {
    const elapsedNs = clock.monoNs - this.#monoNs;
    const wallNs = (clock.wallSeconds - this.#seconds) * NS_PER_S + (clock.wallNanoseconds - this.#nanoseconds);
    const first = !this.#started;
    this.#started = true;
    this.#monoNs = clock.monoNs;
    this.#seconds = clock.wallSeconds;
    this.#nanoseconds = clock.wallNanoseconds;
    const stepNs = wallNs - elapsedNs;
    if (first || Math.abs(stepNs) <= READING_NS_MAX) return false;
    this.steps += 1;
    this.lastStepNs = stepNs;
    this.lastStepAtNs = clock.monoNs;
    return true;
  }
}
