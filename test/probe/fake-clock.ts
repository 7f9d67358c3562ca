/** A clock that tests move by hand; wall and monotonic time can be moved apart. */

import type { Clock } from '../../src/base/clock.ts';
import type { MonoNs } from '../../src/base/units.ts';

export class FakeClock implements Clock {
  monoNs = 0 as MonoNs;
  wallSeconds = 0;
  wallNanoseconds = 0;
  #monoNs = 1_000_000_000;
  #suspendedNs = 0;
  #wallNs = 1_700_000_000n * 1_000_000_000n;

  constructor() {
    this.read();
  }

  read(): void {
    this.monoNs = this.#monoNs as MonoNs;
    this.wallSeconds = Number(this.#wallNs / 1_000_000_000n);
    this.wallNanoseconds = Number(this.#wallNs % 1_000_000_000n);
  }

  /** Time passes. */
  advance(ns: number): void {
    this.#monoNs += ns;
    this.#wallNs += BigInt(Math.round(ns));
  }

  suspendedNs(): number {
    return this.#suspendedNs;
  }

  /** The host sleeps: the wall clock goes on, the monotonic one does not. */
  suspend(ns: number): void {
    this.#suspendedNs += ns;
    this.#wallNs += BigInt(Math.round(ns));
  }

  /** Somebody sets the wall clock. */
  step(ns: number): void {
    this.#wallNs += BigInt(ns);
  }

  get wallNs(): bigint {
    return this.#wallNs;
  }
}
