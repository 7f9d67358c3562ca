/** Cuts time into summary windows: aligned to the wall clock, counted on the monotonic one. */

import type { Clock } from '../base/clock.ts';
import { MS_PER_S, NS_PER_MS, NS_PER_S, type UnixS } from '../base/units.ts';

/** A window that has ended. Its probes are those that fell due in [startNs, endNs) on CLOCK_MONOTONIC. */
export interface Window {
  startUnixS: UnixS;
  lengthS: number;
  startNs: number;
  endNs: number;
}

/** More windows behind than this is not a late timer but a clock step or a suspended host: the gap stays a gap. */
const CATCH_UP_WINDOWS = 5;
/** A running window that would become longer than this has had the clock stepped back: the ring holds no more. */
const LENGTHS_MAX = 2;

/**
 * Every moment of CLOCK_MONOTONIC belongs to exactly one window, whatever CLOCK_REALTIME does: after a step a window is
 * longer or shorter than it says, but no probe is counted twice or never. Starts go up, and back only when the clock was
 * set back.
 */
export class Windows {
  readonly #lengthS: number;
  #startUnixS: number;
  #startNs: number;
  #ended: Window | null = null;

  constructor(lengthS: number, clock: Clock) {
    this.#lengthS = lengthS;
    this.#startUnixS = this.#alignedUnixS(clock);
    this.#startNs = clock.monoNs - sinceNs(clock, this.#startUnixS);
  }

  /** The oldest window that has ended and was not taken yet, or null. */
  ended(clock: Clock): Window | null {
    this.#ended ??= this.#close(clock);
    return this.#ended;
  }

  /** Declares the ended window done; the next one begins where it ended. */
  take(): void {
    if (!this.#ended) return;
    this.#startNs = this.#ended.endNs;
    this.#startUnixS = this.#ended.startUnixS + this.#lengthS;
    this.#ended = null;
  }

  /** The window that is still running, cut off now: for the last summary before the agent stops. */
  cutOff(clock: Clock): Window {
    return {
      startUnixS: this.#startUnixS as UnixS,
      lengthS: this.#lengthS,
      startNs: this.#startNs,
      endNs: clock.monoNs,
    };
  }

  #close(clock: Clock): Window | null {
    const pastEndNs = sinceNs(clock, this.#startUnixS + this.#lengthS);
    const endNs = clock.monoNs - pastEndNs;
    if (pastEndNs < 0) {
      if (endNs - this.#startNs > LENGTHS_MAX * this.#lengthS * NS_PER_S) this.#startUnixS = this.#alignedUnixS(clock);
      return null;
    }
    if (pastEndNs > CATCH_UP_WINDOWS * this.#lengthS * NS_PER_S) {
      this.#startUnixS = this.#alignedUnixS(clock) - this.#lengthS;
      return this.#close(clock);
    }
    return {
      startUnixS: this.#startUnixS as UnixS,
      lengthS: this.#lengthS,
      startNs: this.#startNs,
      endNs: Math.max(this.#startNs, endNs),
    };
  }

  /** Where the wall clock's own window begins. */
  #alignedUnixS(clock: Clock): number {
    return Math.floor(clock.wallSeconds / this.#lengthS) * this.#lengthS;
  }
}

/** When the wall clock's window that runs now ends, ns on CLOCK_MONOTONIC. */
export function windowEndNs(lengthS: number, clock: Clock): number {
  return clock.monoNs - sinceNs(clock, (Math.floor(clock.wallSeconds / lengthS) + 1) * lengthS);
}

/** RFC 3339 text of an instant. */
export function rfc3339(unixS: UnixS): string {
  return new Date(unixS * MS_PER_S).toISOString();
}

function sinceNs(clock: Clock, unixS: number): number {
  return (clock.wallSeconds - unixS) * NS_PER_S + clock.wallNanoseconds;
}

/** How long after its end a window is sealed at the latest: Tmax, one tick of lateness, and the reading of the last reply. */
export function sealDelayNs(tmaxNs: number, tickNs: number): number {
  return tmaxNs + tickNs + 100 * NS_PER_MS;
}
