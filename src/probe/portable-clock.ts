/** The host's clocks by Node.js alone: CLOCK_REALTIME finer than the milliseconds that Date has, and still showing steps. */

import { uptime } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { MS_PER_S, type MonoNs, NS_PER_MS, NS_PER_S } from '../base/units.ts';

/** A Date this far from where it should be is not one that slews: the clock was stepped, and is read anew. */
const STEP_NS = NS_PER_MS;
/** A new millisecond of Date is waited for no longer than this. */
const EDGE_NS_MAX = 3 * NS_PER_MS;
/** Between two looks at Date lies less, unless something came between them. */
const EDGE_NS_EXACT = 20_000;
const TRIES_MAX = 5;
/** Some platforms tell the time since the boot in whole seconds: a shorter sleep cannot be told from rounding. */
const SUSPEND_NS_MIN = 2 * NS_PER_S;

export interface Sources {
  /** CLOCK_MONOTONIC, ns. */
  monoNs(): number;
  /** CLOCK_REALTIME in whole ms since the Unix epoch, rounded down. */
  wallMs(): number;
  /** Time since the boot, with suspends; s. */
  uptimeS(): number;
}

const HOST: Sources = {
  monoNs() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * NS_PER_S + nanoseconds;
  },
  wallMs: Date.now,
  uptimeS: uptime,
};

/**
 * CLOCK_REALTIME is CLOCK_MONOTONIC plus an offset, which only a step changes: both are slewed alike. Every reading of
 * Date says within a millisecond what the offset can be, so the offset is kept where all readings agree, which soon is a
 * matter of microseconds; a reading that contradicts it is a step.
 */
export class PortableClock implements Clock {
  monoNs = 0 as MonoNs;
  wallSeconds = 0;
  wallNanoseconds = 0;
  readonly #sources: Sources;
  /** Full seconds since the Unix epoch, near enough that the rest stays exact in a double. */
  readonly #baseS: number;
  /** CLOCK_REALTIME since `#baseS` minus CLOCK_MONOTONIC, ns. */
  #offsetNs = 0;
  #suspendedNs = Number.NEGATIVE_INFINITY;

  constructor(sources: Sources = HOST) {
    this.#sources = sources;
    this.#baseS = Math.floor(sources.wallMs() / MS_PER_S) - Math.floor(sources.monoNs() / NS_PER_S);
    this.#synchronise();
    this.read();
  }

  read(): void {
    const beforeNs = this.#sources.monoNs();
    const dateNs = this.#dateNs();
    const afterNs = this.#sources.monoNs();
    // Date was read between the two: these bounds hold however long the process was kept from running there.
    const lowestNs = dateNs - afterNs;
    const highestNs = dateNs + NS_PER_MS - beforeNs;
    const isStepped = this.#offsetNs < lowestNs - STEP_NS || this.#offsetNs > highestNs + STEP_NS;
    if (isStepped) this.#synchronise();
    else this.#offsetNs = Math.min(highestNs, Math.max(lowestNs, this.#offsetNs));
    const monoNs = isStepped ? this.#sources.monoNs() : afterNs;
    const sinceBaseNs = monoNs + this.#offsetNs;
    const seconds = Math.floor(sinceBaseNs / NS_PER_S);
    this.monoNs = monoNs as MonoNs;
    this.wallSeconds = this.#baseS + seconds;
    this.wallNanoseconds = Math.floor(sinceBaseNs - seconds * NS_PER_S);
  }

  suspendedNs(): number {
    const suspendedNs = this.#sources.uptimeS() * NS_PER_S - this.#sources.monoNs();
    if (suspendedNs - this.#suspendedNs >= SUSPEND_NS_MIN) this.#suspendedNs = suspendedNs;
    return this.#suspendedNs;
  }

  /** Waits for a new millisecond of Date, whose beginning is known exactly; again when this process was kept from running. */
  #synchronise(): void {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) if (this.#waitForEdge() < EDGE_NS_EXACT) return;
  }

  /** Returns within which time the new millisecond began. */
  #waitForEdge(): number {
    const start = this.#dateNs();
    const startNs = this.#sources.monoNs();
    let dateNs = start;
    let beforeNs = startNs;
    let nowNs = startNs;
    while (dateNs === start && nowNs - startNs < EDGE_NS_MAX) {
      beforeNs = nowNs;
      dateNs = this.#dateNs();
      nowNs = this.#sources.monoNs();
    }
    this.#offsetNs = dateNs - nowNs;
    return nowNs - beforeNs;
  }

  #dateNs(): number {
    const ms = this.#sources.wallMs();
    const seconds = Math.floor(ms / MS_PER_S);
    return (seconds - this.#baseS) * NS_PER_S + (ms - seconds * MS_PER_S) * NS_PER_MS;
  }
}
