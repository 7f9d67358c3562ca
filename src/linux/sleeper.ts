/** Sleeps until an instant of CLOCK_MONOTONIC: no clock has to be read to know how long that is. */

import { NS_PER_S } from '../base/units.ts';
import { CLOCK_MONOTONIC, LAYOUT, TIMER_ABSTIME } from './constants.ts';
import { type Libc, libc } from './libc.ts';

/** One object per thread; its memory is fixed. */
export class Sleeper {
  readonly #libc: Libc = libc();
  readonly #buffer = new ArrayBuffer(LAYOUT.timespec.size);
  readonly #words = new Uint32Array(this.#buffer);
  readonly #address = this.#libc.addressOf(this.#buffer);

  /** Blocks the thread until `monoNs`; returns at once when that has passed, and early when a signal comes. */
  until(monoNs: number): void {
    const seconds = Math.floor(monoNs / NS_PER_S);
    this.#words[0] = seconds;
    this.#words[2] = monoNs - seconds * NS_PER_S;
    this.#libc.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, this.#address, 0);
  }
}
