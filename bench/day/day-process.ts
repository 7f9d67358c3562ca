/** Child program: a day of probing in minutes. The product's engine, ring and summarizer, a fast clock, no kernel. */

import { defaultTickMs } from '../../src/config/default-tick.ts';
import { planProbes } from '../../src/agent/plan.ts';
import { Summarizer } from '../../src/agent/summarize.ts';
import { Windows } from '../../src/agent/windows.ts';
import { NS_PER_S } from '../../src/base/units.ts';
import { UNKNOWN_CLOCK } from '../../src/linux/clock-state.ts';
import { Engine } from '../../src/probe/engine.ts';
import { engineCounters, reflectorCounters } from '../../src/probe/health.ts';
import { type Probing, type Reflecting, sharedEstimate } from '../../src/probe/probing.ts';
import { ReflectedTally } from '../../src/probe/reflected-tally.ts';
import type { SummaryPeer } from '../../src/protocol/summary.ts';
import { createRing } from '../../src/ring/layout.ts';
import { RingReader } from '../../src/ring/reader.ts';
import { RingWriter } from '../../src/ring/writer.ts';
import { HISTOGRAM_BUCKETS } from '../../src/stats/histogram.ts';
import { addCounts, emptyCounts, type OutcomeCounts } from '../../src/stats/outcomes.ts';
import { benchMesh, SELF } from '../mesh.ts';
import { SETTINGS } from '../settings.ts';
import { EmulatedClock } from './clock.ts';
import { EchoingTransport } from './echoing-transport.ts';

/** The process at a moment of its day, after a full garbage collection: MB of 10^6 octets. */
export interface Reading {
  probes: number;
  heapUsedMb: number;
  rssMb: number;
}

export interface DayReport {
  /** After each hour. */
  readings: Reading[];
  counts: OutcomeCounts;
}

const NS_PER_HOUR = 3600 * NS_PER_S;
const SESSION = 0x64617921;

class Day {
  readonly #clock = new EmulatedClock();
  readonly #engine: Engine;
  readonly #summarizer: Summarizer;
  readonly #windows: Windows;
  readonly #counts = emptyCounts();
  #nextLookNs = 0;

  constructor() {
    const mesh = benchMesh(SETTINGS.day);
    const [self] = mesh.pops.filter((pop) => pop.name === SELF);
    if (!self) throw new Error(`the mesh has no ${SELF}`);
    const plan = planProbes(mesh, self, defaultTickMs([SETTINGS.day.intervalMs]), SESSION, { of: () => [] });
    const ring = createRing(plan.paths.map((path) => path.capacity));
    const counters = engineCounters();
    const lateness = new Uint32Array(HISTOGRAM_BUCKETS);
    const transports = plan.sockets.map((socket) => new EchoingTransport(socket.kind, this.#clock));
    const sockets = plan.sockets.map(({ kind }) => ({ kind, transport: 'memory', errno: 0, receiveBufferBytes: null }));
    const stop = (): Promise<void> => Promise.resolve();
    const estimate = sharedEstimate();
    const probing: Probing = { ring: new RingReader(ring), counters, lateness, estimate, sockets, change: null, stop };
    const tally = new ReflectedTally(0, mesh.windowS);
    tally.advanceHorizon(Number.POSITIVE_INFINITY);
    const reflecting: Reflecting = { counters: reflectorCounters(), tally, replan: null, stop };
    const identity = { pop: SELF, bootId: 'bench', configDigest: 'bench', software: 'bench', transportReason: null };
    this.#windows = new Windows(mesh.windowS, this.#clock);
    this.#summarizer = new Summarizer({
      identity,
      plan,
      sessions: [],
      probing,
      reflecting,
      clockState: () => UNKNOWN_CLOCK,
    });
    const parts = { plan, ring: new RingWriter(ring), clock: this.#clock, transports, counters, lateness, estimate };
    this.#engine = new Engine({ ...parts, random: Math.random });
  }

  get counts(): OutcomeCounts {
    return this.#counts;
  }

  /** Goes on until so many hours after the start. */
  runUntil(hours: number): void {
    while (this.#clock.monoNs < hours * NS_PER_HOUR) {
      const wakeNs = this.#engine.tick();
      this.#clock.advance(wakeNs - this.#clock.monoNs);
      if (this.#clock.monoNs >= this.#nextLookNs) this.#summarizeEnded();
    }
  }

  /** Once a second, as the agent does. */
  #summarizeEnded(): void {
    this.#nextLookNs = this.#clock.monoNs + NS_PER_S;
    const window = this.#windows.ended(this.#clock);
    if (!window || !this.#summarizer.isSettled(window, this.#clock.monoNs)) return;
    const { peers } = this.#summarizer.summarize(window, this.#clock.monoNs);
    for (const peer of JSON.parse(`[${Buffer.from(peers.octets).toString()}]`) as SummaryPeer[]) {
      for (const path of peer.paths) addCounts(this.#counts, path.counts);
    }
    this.#windows.take();
  }
}

function reading(day: Day): Reading {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { probes: day.counts.due, heapUsedMb: heapUsed / 1e6, rssMb: rss / 1e6 };
}

const day = new Day();
const readings: Reading[] = [];
for (let hour = 1; hour <= SETTINGS.day.hours; hour += 1) {
  day.runUntil(hour);
  readings.push(reading(day));
}
const report: DayReport = { readings, counts: day.counts };
process.send?.(report, () => process.disconnect());
