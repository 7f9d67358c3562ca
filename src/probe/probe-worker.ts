/** The probing thread: opens the sockets of the plan and ticks until told to stop. */

import { workerData } from 'node:worker_threads';
import { LIMITS } from '../base/limits.ts';
import { Sleeper } from '../linux/sleeper.ts';
import { SystemClock } from '../linux/system-clock.ts';
import { openRing } from '../ring/layout.ts';
import { RingWriter } from '../ring/writer.ts';
import { Engine } from './engine.ts';
import { engineCounters } from './health.ts';
import { openKernelTransport } from './kernel-transport.ts';
import type { ProbePlan, SocketPlan } from './plan.ts';
import { RefusingTransport } from './refusing-transport.ts';
import type { Transport } from './transport.ts';
import { openOrReport, runUntilStopped } from './worker-body.ts';

/** What the main thread hands over. */
export interface ProbeWorkerData {
  plan: ProbePlan;
  ring: SharedArrayBuffer;
  counters: SharedArrayBuffer;
  lateness: SharedArrayBuffer;
  estimate: Int32Array;
}

/** What carries each socket's packets; `errno` 0 unless the host permits no socket of the kind. */
export interface OpenedSocket {
  kind: 'icmp' | 'stamp';
  transport: string;
  errno: number;
}

/** What the probing thread reports once its sockets are open, in the plan's order. */
export interface ProbeReady {
  sockets: OpenedSocket[];
}

const data = workerData as ProbeWorkerData & { control: Int32Array };

function openTransport(plan: SocketPlan): { transport: Transport; errno: number } {
  const kinds = plan.kind === 'icmp' ? (['icmp_raw', 'icmp_ping'] as const) : (['udp'] as const);
  const opened = openKernelTransport(kinds, {
    address: plan.address,
    port: plan.port,
    dscp: plan.dscp,
    payloadBytes: plan.payloadBytes,
    txStamps: true,
  });
  if (!('refusals' in opened)) return { transport: opened, errno: 0 };
  const errno = opened.refusals.at(-1)?.errno ?? 0;
  return { transport: new RefusingTransport(errno, LIMITS.batchMessages, plan.payloadBytes), errno };
}

const opened = openOrReport(
  () => {
    const sockets = data.plan.sockets.map(openTransport);
    return { sockets, engine: startEngine(sockets.map((socket) => socket.transport)) };
  },
  ({ sockets }): ProbeReady => ({
    sockets: sockets.map(({ transport, errno }, index) => ({
      kind: data.plan.sockets[index]?.kind ?? 'icmp',
      transport: transport.name,
      errno,
    })),
  }),
);

function startEngine(transports: Transport[]): Engine {
  return new Engine({
    plan: data.plan,
    ring: new RingWriter(openRing(data.ring)),
    clock: new SystemClock(),
    transports,
    counters: engineCounters(data.counters),
    lateness: new Uint32Array(data.lateness),
    estimate: data.estimate,
    random: Math.random,
  });
}

if (opened) {
  const sleeper = new Sleeper();
  runUntilStopped(data.control, () => sleeper.until(opened.engine.tick()));
  opened.engine.close();
}
