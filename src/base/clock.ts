/** The clock that is handed to whoever needs the time; the real one lives in `linux/`, tests bring their own. */

import { type MonoNs, MS_PER_S, NS_PER_MS } from './units.ts';

/**
 * Both clocks of the host, read together. `read()` refreshes the fields in place, so that the probing thread can ask
 * for the time thousands of times a second without allocating.
 */
export interface Clock {
  /** CLOCK_MONOTONIC at the last `read()`, ns. */
  readonly monoNs: MonoNs;
  /** CLOCK_REALTIME at the last `read()`: whole seconds since the Unix epoch. */
  readonly wallSeconds: number;
  /** CLOCK_REALTIME at the last `read()`: nanoseconds within the second. */
  readonly wallNanoseconds: number;
  read(): void;
  /** How long the host has been suspended since its boot, ns: CLOCK_BOOTTIME minus CLOCK_MONOTONIC. */
  suspendedNs(): number;
}

/**
 * A moment of CLOCK_MONOTONIC as CLOCK_REALTIME would show it by the last `read()`: whole ms since the Unix epoch. Where
 * the clock was stepped between the two, it is what the clock would have shown had it been right by today's reading.
 */
export function unixMsAt(clock: Clock, monoNs: number): number {
  const wallMs = clock.wallSeconds * MS_PER_S + clock.wallNanoseconds / NS_PER_MS;
  return Math.round(wallMs + (monoNs - clock.monoNs) / NS_PER_MS);
}
