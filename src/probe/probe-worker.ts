/** The probing thread: opens the sockets of the plan, ticks until told to stop, and changes to another plan when asked. */

import { workerData } from 'node:worker_threads';
import { Sleeper } from '../linux/sleeper.ts';
import { SystemClock } from '../linux/system-clock.ts';
import { openRing } from '../ring/layout.ts';
import { RingWriter } from '../ring/writer.ts';
import { Engine, type Predecessor } from './engine.ts';
import { engineCounters } from './health.ts';
import type { ProbePlan } from './plan.ts';
import { changeKernelSockets, type KernelSocket, type KernelSocketPlan, openKernelSockets } from './kernel-sockets.ts';
import { type OpenedSocket, openedSocket } from './opened-socket.ts';
import { openOrReport, runUntilStopped, takeOut } from './worker-body.ts';

/** What the main thread hands over. */
export interface ProbeWorkerData {
  plan: ProbePlan;
  ring: SharedArrayBuffer;
  counters: SharedArrayBuffer;
  lateness: SharedArrayBuffer;
  estimate: Int32Array;
}

/** What the main thread asks for: that paths stop at an instant, or another plan; see `Probing`. */
export type ProbeQuestion =
  | { type: 'stopAt'; paths: readonly number[]; stopNs: number }
  | { type: 'replan'; plan: ProbePlan; ring: SharedArrayBuffer; kept: readonly number[] };

/** What the probing thread reports once its sockets are open, in the plan's order. */
export interface ProbeReady {
  sockets: OpenedSocket[];
}

/** What the thread works with; another plan replaces it. */
interface State {
  sockets: KernelSocket[];
  engine: Engine;
}

const data = workerData as ProbeWorkerData & { control: Int32Array };
const clock = new SystemClock();

function socketsOf(plan: ProbePlan): KernelSocketPlan[] {
  return plan.sockets.map((socket) => ({ ...socket, txStamps: true }));
}

function startEngine(
  plan: ProbePlan,
  ring: SharedArrayBuffer,
  sockets: readonly KernelSocket[],
  before?: Predecessor,
): Engine {
  return new Engine({
    plan,
    ring: new RingWriter(openRing(ring)),
    clock,
    transports: sockets.map((socket) => socket.transport),
    counters: engineCounters(data.counters),
    lateness: new Uint32Array(data.lateness),
    estimate: data.estimate,
    random: Math.random,
    ...(before && { before }),
  });
}

function ready({ sockets }: State): ProbeReady {
  return {
    sockets: sockets.map(({ plan: { kind }, transport, errno }) => openedSocket(kind, transport, errno)),
  };
}

function replan(state: State, { plan, ring, kept }: Extract<ProbeQuestion, { type: 'replan' }>): State {
  state.engine.finish();
  const sockets = changeKernelSockets(state.sockets, socketsOf(plan));
  return { sockets, engine: startEngine(plan, ring, sockets, { engine: state.engine, kept }) };
}

const first = openOrReport((): State => {
  const plan = takeOut(data, 'plan');
  const sockets = openKernelSockets(socketsOf(plan));
  return { sockets, engine: startEngine(plan, takeOut(data, 'ring'), sockets) };
}, ready);

if (first) {
  let state = first;
  const sleeper = new Sleeper();
  runUntilStopped(
    data.control,
    () => sleeper.until(state.engine.tick()),
    (message) => {
      const question = message as ProbeQuestion;
      if (question.type === 'replan') state = replan(state, question);
      else state.engine.stopAt(question.paths, question.stopNs);
      return ready(state);
    },
  );
  state.engine.close();
}
