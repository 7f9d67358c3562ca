/** Child program: runs the product's probing or reflecting thread inside a namespace and reports what became of it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbePlan, ReflectorPlan } from '../src/probe/plan.ts';
import { type Probing, startProbing, startReflecting } from '../src/probe/probing.ts';
import { type Outcomes, type Sample, Tally } from './tally.ts';

export type EngineRequest =
  | { type: 'probe'; plan: ProbePlan; samples: boolean }
  | { type: 'reflect'; plan: ReflectorPlan }
  | { type: 'report' }
  | { type: 'finish' };

/** Every answer; the reflecting side and the start answer with `ready`. */
export type EngineAnswer = { type: 'ready'; sockets: string[] } | { type: 'report'; report: EngineReport };

export interface EngineReport {
  outcomes: Outcomes;
  /** The engine's own counters, by name. */
  counters: Record<string, number>;
  heapUsedMb: number;
  samples: Sample[];
}

const TALLY_MS = 1000;

let probing: Probing | null = null;
let tally: Tally | null = null;
let turning: NodeJS.Timeout | undefined;

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

function answer(message: EngineAnswer): void {
  process.send?.(message);
}

function nowNs(): number {
  return Number(process.hrtime.bigint());
}

function report(): EngineReport {
  if (!probing || !tally) throw new Error('nothing was started');
  const { counters } = probing;
  return {
    outcomes: tally.outcomes,
    counters: Object.fromEntries(counters.names.map((name) => [name, counters.get(name)])),
    heapUsedMb: process.memoryUsage().heapUsed / 1e6,
    samples: tally.samples,
  };
}

/** Counts the probes that fell due until now, waits for their outcomes, and ends. */
async function finish(): Promise<void> {
  clearInterval(turning);
  const heads = tally?.heads() ?? [];
  while (tally?.turn(nowNs(), heads) === false) await sleep(10);
  answer({ type: 'report', report: report() });
  await probing?.stop();
  process.disconnect();
}

async function handle(request: EngineRequest): Promise<void> {
  switch (request.type) {
    case 'probe': {
      probing = await startProbing(request.plan, fail);
      const counting = new Tally(probing.ring, request.plan.tmaxNs, request.samples);
      tally = counting;
      turning = setInterval(() => counting.turn(nowNs()), TALLY_MS);
      answer({ type: 'ready', sockets: probing.sockets.map((socket) => socket.transport) });
      return;
    }
    case 'reflect':
      await startReflecting(request.plan, fail);
      answer({ type: 'ready', sockets: [] });
      return;
    case 'report':
      tally?.turn(nowNs());
      answer({ type: 'report', report: report() });
      return;
    case 'finish':
      await finish();
  }
}

process.on('message', (request) => {
  handle(request as EngineRequest).catch(fail);
});
// The end of the run, or of the process that started this one.
process.once('disconnect', () => process.exit(0));
