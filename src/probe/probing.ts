/** Starts the probing and the reflecting thread and hands out what they share with the main thread. */

import type { Counters } from '../ring/counters.ts';
import { createRing } from '../ring/layout.ts';
import { RingReader } from '../ring/reader.ts';
import { HISTOGRAM_BUCKETS } from '../stats/histogram.ts';
import { UNSYNCHRONISED_ESTIMATE } from '../wire/error-estimate.ts';
import { type EngineCounter, engineCounters, type ReflectorCounter, reflectorCounters } from './health.ts';
import type { ProbePlan, ReflectorPlan } from './plan.ts';
import type { OpenedSocket, ProbeReady, ProbeWorkerData } from './probe-worker.ts';
import { ReflectedTally } from './reflected-tally.ts';
import type { ReflectorWorkerData } from './reflector-worker.ts';
import { WorkerHandle } from './worker-handle.ts';

export interface Probing {
  readonly ring: RingReader;
  readonly counters: Counters<EngineCounter>;
  /** How late each wake-up was: cumulative counts by the buckets of `stats/histogram.ts`. */
  readonly lateness: Uint32Array;
  /** What this host says of its clock in every packet, see `sharedEstimate`. */
  readonly estimate: Int32Array;
  /** What carries each socket's packets, in the plan's order. */
  readonly sockets: readonly OpenedSocket[];
  stop(): Promise<void>;
}

/**
 * What this host says of its clock, shared by both threads: one word, a STAMP Error Estimate. The main thread writes it
 * whenever it has asked; until then nobody vouches for the clock.
 */
export function sharedEstimate(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4)).fill(UNSYNCHRONISED_ESTIMATE);
}

/** Starts the probing thread. Rejects with its PopprobeError; `onFailure` hears of a thread that dies later. */
export async function startProbing(
  plan: ProbePlan,
  onFailure: (error: unknown) => void,
  estimate = sharedEstimate(),
): Promise<Probing> {
  const ring = createRing(plan.paths.map((path) => path.capacity));
  const counters = engineCounters();
  const lateness = new SharedArrayBuffer(HISTOGRAM_BUCKETS * 4);
  const data: ProbeWorkerData = { plan, ring: ring.buffer, counters: counters.buffer, lateness, estimate };
  const handle = await WorkerHandle.start<ProbeReady>('probe-worker', data, onFailure);
  return {
    ring: new RingReader(ring),
    counters,
    lateness: new Uint32Array(lateness),
    estimate,
    sockets: handle.ready.sockets,
    stop: () => handle.stop(),
  };
}

export interface Reflecting {
  readonly counters: Counters<ReflectorCounter>;
  /** What it received and answered, by session in the plan's order. */
  readonly tally: ReflectedTally;
  stop(): Promise<void>;
}

/** Starts the reflecting thread. Rejects with its PopprobeError; `onFailure` hears of a thread that dies later. */
export async function startReflecting(
  plan: ReflectorPlan,
  onFailure: (error: unknown) => void,
  estimate = sharedEstimate(),
): Promise<Reflecting> {
  const counters = reflectorCounters();
  const tally = new ReflectedTally(plan.sessions.length, plan.windowS);
  const data: ReflectorWorkerData = { plan, counters: counters.buffer, tally: tally.buffer, estimate };
  const handle = await WorkerHandle.start<null>('reflector-worker', data, onFailure);
  return { counters, tally, stop: () => handle.stop() };
}
