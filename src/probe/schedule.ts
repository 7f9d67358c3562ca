/** When probes fall due, and what becomes of one at a moment: wait, send, or admit that it was missed. */

import type { Clock } from '../base/clock.ts';
import { NS_PER_S } from '../base/units.ts';

export type DueDecision = 'wait' | 'send' | 'missed';

/**
 * `periodic`: one interval apart, with a random phase in each window (RFC 3432 section 3), so that nothing on the path
 * that is periodic itself is met at the same moment for ever. `poisson`: exponential intervals, the schedule kept and
 * not restarted from the send (RFC 2330 section 11.1.3, method 3).
 */
export type ScheduleKind = 'periodic' | 'poisson';

/** Longest interval of a Poisson schedule, in means (`Trunc` of RFC 8912 section 7.3.2): 1 in 22,000 would be longer. */
const POISSON_MEANS_MAX = 10;

/**
 * A probe that falls due is sent by the first tick after it. Being carried by that tick is not lateness; a probe that
 * is later than half an interval beyond it is missed, and never sent as part of a catch-up burst. All times in ns.
 */
export function decideDue(dueNs: number, nowNs: number, intervalNs: number, tickNs: number): DueDecision {
  if (dueNs > nowNs) return 'wait';
  return nowNs - dueNs > tickNs + intervalNs / 2 ? 'missed' : 'send';
}

/** The next moment to wake up: the first tick at or after `dueNs`, but no later than `nowNs + sleepMaxNs`. */
export function nextWakeNs(startNs: number, tickNs: number, dueNs: number, nowNs: number, sleepMaxNs: number): number {
  const target = Math.min(dueNs, nowNs + sleepMaxNs);
  return Math.max(nowNs, startNs + Math.ceil((target - startNs) / tickNs) * tickNs);
}

/** The schedule of all paths; its memory is fixed at start. */
export class Schedule {
  readonly #isPoisson: boolean;
  readonly #intervalsNs: Float64Array;
  readonly #windowNs: number;
  readonly #random: () => number;
  readonly #dueNs: Float64Array;
  /** Per path: the end of the window its next probe falls into. */
  readonly #endNs: Float64Array;
  /** Per path: from when on no probe falls due any more; infinite unless the path is to stop. */
  readonly #stopNs: Float64Array;
  /** Whether any path is to stop, or has stopped. */
  #isAnyStopping = false;
  /** A full window on CLOCK_REALTIME, Unix seconds, from which differences stay exact in a double. */
  readonly #baseS: number;
  /** CLOCK_REALTIME since `#baseS` minus CLOCK_MONOTONIC, ns. */
  #offsetNs = 0;

  /** Every path's first probe falls due within its first interval. `random` is uniform in [0, 1). */
  constructor(kind: ScheduleKind, intervalsNs: readonly number[], windowS: number, clock: Clock, random: () => number) {
    this.#isPoisson = kind === 'poisson';
    this.#intervalsNs = Float64Array.from(intervalsNs);
    this.#windowNs = windowS * NS_PER_S;
    this.#random = random;
    this.#baseS = Math.floor(clock.wallSeconds / windowS) * windowS;
    this.follow(clock);
    this.#dueNs = new Float64Array(intervalsNs.length);
    this.#endNs = new Float64Array(intervalsNs.length);
    this.#stopNs = new Float64Array(intervalsNs.length).fill(Number.POSITIVE_INFINITY);
    for (let path = 0; path < intervalsNs.length; path += 1) this.#begin(path, clock.monoNs);
  }

  /** Goes on with the next probe of a path of another schedule. */
  continue(path: number, other: Schedule, otherPath: number): void {
    this.#dueNs[path] = other.#dueNs[otherPath] ?? 0;
    this.#endNs[path] = other.#endNs[otherPath] ?? 0;
  }

  /**
   * From `stopNs` on no probe of these paths falls due; all others go on, also those that were to stop before. One that has
   * stopped already begins anew, with a phase of its own.
   */
  stopAt(paths: ReadonlySet<number>, stopNs: number, nowNs: number): void {
    this.#isAnyStopping = paths.size > 0;
    for (let path = 0; path < this.#dueNs.length; path += 1) {
      const isStopped = this.#dueNs[path] === Number.POSITIVE_INFINITY;
      this.#stopNs[path] = paths.has(path) ? stopNs : Number.POSITIVE_INFINITY;
      if (isStopped) this.#begin(path, nowNs);
      this.#heedStop(path);
    }
  }

  /** Takes over the wall clock's present idea of where windows end. */
  follow(clock: Clock): void {
    this.#offsetNs = (clock.wallSeconds - this.#baseS) * NS_PER_S + clock.wallNanoseconds - clock.monoNs;
  }

  /** Mean interval of the path, ns. */
  intervalNs(path: number): number {
    return this.#intervalsNs[path] ?? Number.POSITIVE_INFINITY;
  }

  /** When the path's next probe falls due, ns on CLOCK_MONOTONIC. */
  dueNs(path: number): number {
    return this.#dueNs[path] ?? Number.POSITIVE_INFINITY;
  }

  /** The first path from number `from` on whose next probe is due at `nowNs`, or -1. */
  nextDue(from: number, nowNs: number): number {
    const dueNs = this.#dueNs;
    for (let path = from; path < dueNs.length; path += 1) if ((dueNs[path] ?? 0) <= nowNs) return path;
    return -1;
  }

  /** When the next probe of all falls due, ns on CLOCK_MONOTONIC; infinite without paths. */
  earliestNs(): number {
    const dueNs = this.#dueNs;
    let earliestNs = Number.POSITIVE_INFINITY;
    for (let path = 0; path < dueNs.length; path += 1) {
      const pathNs = dueNs[path] ?? 0;
      if (pathNs < earliestNs) earliestNs = pathNs;
    }
    return earliestNs;
  }

  /** Goes on to the probe after the next one. */
  advance(path: number): void {
    const dueNs = this.#dueNs[path] ?? 0;
    const intervalNs = this.#intervalsNs[path] ?? 1;
    this.#dueNs[path] = this.#isPoisson
      ? dueNs + this.#exponential() * intervalNs
      : this.#nextPeriodic(path, dueNs, intervalNs);
    this.#heedStop(path);
  }

  /** Skips `probes` mean intervals at once. */
  skip(path: number, probes: number): void {
    this.#dueNs[path] = (this.#dueNs[path] ?? 0) + probes * (this.#intervalsNs[path] ?? 0);
    this.#heedStop(path);
  }

  /** The first probe falls due within the first interval. */
  #begin(path: number, nowNs: number): void {
    const dueNs = nowNs + this.#random() * (this.#intervalsNs[path] ?? 0);
    this.#dueNs[path] = dueNs;
    this.#endNs[path] = this.#windowEndNs(dueNs);
  }

  #heedStop(path: number): void {
    if (!this.#isAnyStopping) return;
    if ((this.#dueNs[path] ?? 0) >= (this.#stopNs[path] ?? 0)) this.#dueNs[path] = Number.POSITIVE_INFINITY;
  }

  #nextPeriodic(path: number, dueNs: number, intervalNs: number): number {
    const endNs = this.#endNs[path] ?? 0;
    if (dueNs + intervalNs < endNs) return dueNs + intervalNs;
    const nextNs = Math.max(endNs, dueNs) + this.#random() * intervalNs;
    this.#endNs[path] = this.#windowEndNs(nextNs);
    return nextNs;
  }

  /** Mean 1. */
  #exponential(): number {
    return Math.min(POISSON_MEANS_MAX, -Math.log(1 - this.#random()));
  }

  /** The end of the wall clock's window that an instant of CLOCK_MONOTONIC lies in. */
  #windowEndNs(monoNs: number): number {
    const wallNs = monoNs + this.#offsetNs;
    return (Math.floor(wallNs / this.#windowNs) + 1) * this.#windowNs - this.#offsetNs;
  }
}
