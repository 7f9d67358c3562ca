/**
 * Notices when this host could not hear replies, or cannot know that it did: a full receive buffer, a long time without
 * reading one that cannot be looked into, a suspended host. What was out then is void.
 */

import type { Clock } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import type { Counters } from '../ring/counters.ts';
import type { RingWriter } from '../ring/writer.ts';
import type { EngineCounter } from './health.ts';
import type { ProbePlan } from './plan.ts';
import type { Transport } from './transport.ts';

/** CLOCK_BOOTTIME and CLOCK_MONOTONIC are read one after the other, on a host that may be busy in between. */
const READING_NS_MAX = 100_000_000;

export class Blindness {
  readonly #plan: ProbePlan;
  readonly #ring: RingWriter;
  readonly #clock: Clock;
  readonly #transports: readonly Transport[];
  readonly #counters: Counters<EngineCounter>;
  readonly #drops: Float64Array;
  #suspendedNs: number;
  #lookedAtNs: number;
  #readAtNs: number;
  /** Since the last look there was a time without reading in which a buffer may have run over. */
  #wasDeaf = false;

  constructor(
    plan: ProbePlan,
    ring: RingWriter,
    clock: Clock,
    transports: readonly Transport[],
    counters: Counters<EngineCounter>,
  ) {
    this.#plan = plan;
    this.#ring = ring;
    this.#clock = clock;
    this.#transports = transports;
    this.#counters = counters;
    this.#drops = Float64Array.from(transports, (transport) => transport.readDrops());
    this.#suspendedNs = clock.suspendedNs();
    this.#lookedAtNs = clock.monoNs;
    this.#readAtNs = clock.monoNs;
  }

  /**
   * Called when everything that has arrived was read; looks at most once in a while: what is still out may have been lost
   * here. Returns whether it did.
   */
  look(): boolean {
    this.#noteReading();
    const isDue = this.#clock.monoNs - this.#lookedAtNs >= LIMITS.blindnessCheckNs;
    if (isDue) this.lookNow();
    return isDue;
  }

  /** As `look`, however short a while ago the last time was. */
  lookNow(): void {
    this.#noteReading();
    const nowNs = this.#clock.monoNs;
    for (let socket = 0; socket < this.#transports.length; socket += 1) this.#lookAtSocket(socket);
    this.#lookAtHost();
    this.#lookedAtNs = nowNs;
    this.#wasDeaf = false;
  }

  #noteReading(): void {
    if (this.#clock.monoNs - this.#readAtNs > LIMITS.deafNs) this.#wasDeaf = true;
    this.#readAtNs = this.#clock.monoNs;
  }

  #lookAtSocket(socket: number): void {
    if (this.#wasDeaf && this.#transports[socket]?.hidesDrops === true) this.#blind(socket);
    const drops = this.#transports[socket]?.readDrops() ?? 0;
    const lost = (drops - (this.#drops[socket] ?? 0)) >>> 0;
    if (lost === 0) return;
    this.#drops[socket] = drops;
    this.#counters.add('socket_drops', lost);
    this.#blind(socket);
  }

  #lookAtHost(): void {
    const suspendedNs = this.#clock.suspendedNs();
    const slept = suspendedNs - this.#suspendedNs > READING_NS_MAX;
    this.#suspendedNs = suspendedNs;
    if (!slept) return;
    this.#counters.add('suspends');
    for (let socket = 0; socket < this.#transports.length; socket += 1) this.#blind(socket);
  }

  /** It happened since the last look, so every probe that was out at any time since then is concerned. */
  #blind(socket: number): void {
    const sinceNs = this.#lookedAtNs - this.#plan.tmaxNs;
    for (let path = 0; path < this.#plan.paths.length; path += 1) {
      if (this.#plan.paths[path]?.socket === socket) this.#ring.blind(path, sinceNs);
    }
  }
}
