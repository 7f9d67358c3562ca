/** The host's clocks through clock_gettime, without allocating: hrtime.bigint() would make a bigint per reading. */

import type { Clock } from '../base/clock.ts';
import { type MonoNs, NS_PER_S } from '../base/units.ts';
import { CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME, LAYOUT } from './constants.ts';
import { libc } from './libc.ts';

/** A thread that was preempted between the two readings reads again: the pair must belong together. */
const PAIR_NS_MAX = 20_000;
const TRIES_MAX = 5;
/** Words of the buffer: CLOCK_MONOTONIC, CLOCK_REALTIME, and CLOCK_MONOTONIC or CLOCK_BOOTTIME, a timespec each. */
const MONO = 0;
const WALL = 4;
const THIRD = 8;

export class SystemClock implements Clock {
  monoNs = 0 as MonoNs;
  wallSeconds = 0;
  wallNanoseconds = 0;
  readonly #libc = libc();
  readonly #buffer = new ArrayBuffer(3 * LAYOUT.timespec.size);
  readonly #words = new Uint32Array(this.#buffer);
  readonly #monoAddress = this.#libc.addressOf(this.#buffer);
  readonly #wallAddress = this.#monoAddress + LAYOUT.timespec.size;
  readonly #thirdAddress = this.#wallAddress + LAYOUT.timespec.size;
  /** A full second near which differences of CLOCK_REALTIME stay exact in a double. */
  readonly #baseS: number;
  /** CLOCK_REALTIME since `#baseS` minus CLOCK_MONOTONIC, ns: what only a step changes, since both are slewed alike. */
  #offsetNs = Number.NaN;

  constructor() {
    this.#libc.clock_gettime(CLOCK_REALTIME, this.#wallAddress);
    this.#baseS = this.#words[WALL] ?? 0;
    this.read();
  }

  /**
   * Reads CLOCK_MONOTONIC and CLOCK_REALTIME within 40 µs of one another. A pair as far apart as the one before was read
   * together; any other, which a step or a preemption makes, is read again between two readings of CLOCK_MONOTONIC
   * until these are less than 20 µs apart (best of 5 tries on a busy host).
   */
  read(): void {
    this.#readPair();
    // Written so that NaN, before the first reading, is not near.
    const isNear = Math.abs(this.#pairOffsetNs() - this.#offsetNs) < PAIR_NS_MAX;
    if (!isNear) this.#readWithCare();
    this.monoNs = this.#nanoseconds(MONO) as MonoNs;
    this.wallSeconds = this.#words[WALL] ?? 0;
    this.wallNanoseconds = this.#words[WALL + 2] ?? 0;
  }

  /** Within some microseconds: the two clocks are read one after the other. */
  suspendedNs(): number {
    this.#libc.clock_gettime(CLOCK_BOOTTIME, this.#thirdAddress);
    this.#libc.clock_gettime(CLOCK_MONOTONIC, this.#monoAddress);
    return this.#nanoseconds(THIRD) - this.#nanoseconds(MONO);
  }

  #readPair(): void {
    this.#libc.clock_gettime(CLOCK_MONOTONIC, this.#monoAddress);
    this.#libc.clock_gettime(CLOCK_REALTIME, this.#wallAddress);
  }

  #readWithCare(): void {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      this.#readPair();
      this.#libc.clock_gettime(CLOCK_MONOTONIC, this.#thirdAddress);
      if (this.#nanoseconds(THIRD) - this.#nanoseconds(MONO) < PAIR_NS_MAX) break;
    }
    this.#offsetNs = this.#pairOffsetNs();
  }

  #pairOffsetNs(): number {
    const sinceBaseNs = ((this.#words[WALL] ?? 0) - this.#baseS) * NS_PER_S + (this.#words[WALL + 2] ?? 0);
    return sinceBaseNs - this.#nanoseconds(MONO);
  }

  /** A timespec at a word index as ns; its seconds fit 32 bits until 2106. */
  #nanoseconds(word: number): number {
    return (this.#words[word] ?? 0) * NS_PER_S + (this.#words[word + 2] ?? 0);
  }
}
