/** The host's clocks through clock_gettime, without allocating: hrtime.bigint() would make a bigint per reading. */

import type { Clock } from '../base/clock.ts';
import { type MonoNs, NS_PER_S } from '../base/units.ts';
import { CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME, LAYOUT } from './constants.ts';
import { libc } from './libc.ts';

/** A thread that was preempted between the two readings reads again: the pair must belong together. */
const PAIR_NS_MAX = 20_000;
const TRIES_MAX = 5;

export class SystemClock implements Clock {
  monoNs = 0 as MonoNs;
  wallSeconds = 0;
  wallNanoseconds = 0;
  readonly #libc = libc();
  readonly #buffer = new ArrayBuffer(3 * LAYOUT.timespec.size);
  readonly #words = new Uint32Array(this.#buffer);
  readonly #address = this.#libc.addressOf(this.#buffer);

  constructor() {
    this.read();
  }

  /** Reads CLOCK_MONOTONIC and CLOCK_REALTIME within 20 µs of one another (best of 5 tries on a busy host). */
  read(): void {
    const { size } = LAYOUT.timespec;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      this.#libc.clock_gettime(CLOCK_MONOTONIC, this.#address);
      this.#libc.clock_gettime(CLOCK_REALTIME, this.#address + size);
      this.#libc.clock_gettime(CLOCK_MONOTONIC, this.#address + 2 * size);
      if (this.#nanoseconds(8) - this.#nanoseconds(0) < PAIR_NS_MAX) break;
    }
    this.monoNs = this.#nanoseconds(0) as MonoNs;
    this.wallSeconds = this.#words[4] ?? 0;
    this.wallNanoseconds = this.#words[6] ?? 0;
  }

  /** Within some microseconds: the two clocks are read one after the other. */
  suspendedNs(): number {
    this.#libc.clock_gettime(CLOCK_BOOTTIME, this.#address);
    this.#libc.clock_gettime(CLOCK_MONOTONIC, this.#address + LAYOUT.timespec.size);
    return this.#nanoseconds(0) - this.#nanoseconds(4);
  }

  /** A timespec at a word index as ns; its seconds fit 32 bits until 2106. */
  #nanoseconds(word: number): number {
    return (this.#words[word] ?? 0) * NS_PER_S + (this.#words[word + 2] ?? 0);
  }
}
