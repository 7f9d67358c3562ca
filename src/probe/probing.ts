/** Starts the probing and the reflecting thread and hands out what they share with the main thread. */

import { builtFile } from '../base/built-file.ts';
import type { Counters } from '../ring/counters.ts';
import { createRing, type RingViews } from '../ring/layout.ts';
import { RingReader } from '../ring/reader.ts';
import { HISTOGRAM_BUCKETS } from '../stats/histogram.ts';
import { UNSYNCHRONISED_ESTIMATE } from '../wire/error-estimate.ts';
import { type EngineCounter, engineCounters, type ReflectorCounter, reflectorCounters } from './health.ts';
import type { ProbePlan, ReflectorPlan } from './plan.ts';
import type { OpenedSocket } from './opened-socket.ts';
import type { ProbeQuestion, ProbeReady, ProbeWorkerData } from './probe-worker.ts';
import { ReflectedTally } from './reflected-tally.ts';
import type { ReflectorQuestion, ReflectorWorkerData } from './reflector-worker.ts';
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
  /** Null where a plan cannot be changed while it runs. */
  readonly change: ProbingChange | null;
  stop(): Promise<void>;
}

/** How the plan is changed while it runs, one step after the other. A step that rejects has changed nothing. */
interface ProbingChange {
  /**
   * From this instant on, ns on CLOCK_MONOTONIC, no probe of these paths falls due; all others go on, also those that were
   * to stop, or have stopped, by an earlier call.
   */
  stopAt(paths: readonly number[], stopNs: number): Promise<void>;
  /**
   * Goes on with another plan; `kept` has for each of its paths the number of the path that it continues, probes that are out
   * included, or -1. Nobody may seal the old ring meanwhile, which then stands still. What is returned replaces this.
   */
  replan(plan: ProbePlan, kept: readonly number[]): Promise<Probing>;
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
  const handle = await WorkerHandle.start<ProbeReady, ProbeQuestion>(
    builtFile(import.meta.url, 'probe-worker'),
    data,
    onFailure,
  );
  return probingOf(handle, handle.ready, ring, { counters, lateness: new Uint32Array(lateness), estimate });
}

function probingOf(
  handle: WorkerHandle<ProbeReady, ProbeQuestion>,
  { sockets }: ProbeReady,
  ring: RingViews,
  shared: Pick<Probing, 'counters' | 'lateness' | 'estimate'>,
): Probing {
  return {
    ...shared,
    ring: new RingReader(ring),
    sockets,
    change: {
      async stopAt(paths, stopNs) {
        await handle.ask({ type: 'stopAt', paths, stopNs });
      },
      async replan(plan, kept) {
        const next = createRing(plan.paths.map((path) => path.capacity));
        const ready = await handle.ask({ type: 'replan', plan, ring: next.buffer, kept });
        return probingOf(handle, ready, next, shared);
      },
    },
    stop: () => handle.stop(),
  };
}

export interface Reflecting {
  readonly counters: Counters<ReflectorCounter>;
  /** What it received and answered, by session in the plan's order. */
  readonly tally: ReflectedTally;
  /**
   * Goes on with another plan; `kept` has for each of its sessions the number of the session that it continues, or -1.
   * Nobody may close windows meanwhile. What is returned replaces this. Null where a plan cannot be changed.
   */
  readonly replan: ((plan: ReflectorPlan, kept: readonly number[]) => Promise<Reflecting>) | null;
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
  const handle = await WorkerHandle.start<null, ReflectorQuestion>(
    builtFile(import.meta.url, 'reflector-worker'),
    data,
    onFailure,
  );
  return reflectingOf(handle, counters, tally);
}

function reflectingOf(
  handle: WorkerHandle<null, ReflectorQuestion>,
  counters: Reflecting['counters'],
  tally: ReflectedTally,
): Reflecting {
  return {
    counters,
    tally,
    async replan(plan, kept) {
      const next = new ReflectedTally(plan.sessions.length, plan.windowS);
      await handle.ask({ plan, tally: next.buffer, kept });
      return reflectingOf(handle, counters, next);
    },
    stop: () => handle.stop(),
  };
}
