/** 50,000 ICMP probes/s answered by the far kernel, 100,000 STAMP probes/s by our reflector; none may be called lost. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbePlan } from '../src/probe/plan.ts';
import { EngineProcess } from './engine.ts';
import type { EngineReport } from './engine-process.ts';
import { FAR_ADDRESSES, farAddress } from './addresses.ts';
import { echoPlan, stampPlans } from './plans.ts';
import { cpuNs } from './proc.ts';
import { atLeast, atMost, info, type Row } from './report.ts';
import { SETTINGS, TARGETS } from './settings.ts';

const { icmpPathsPerTarget, stampPathsPerTarget, perPathMs, measureMs } = SETTINGS.throughput;

interface Drive {
  report: EngineReport;
  /** From the first probe to the last. */
  seconds: number;
  engineCpu: number;
  reflectorCpu: number;
}

export async function benchThroughput(): Promise<Row[]> {
  const icmp = await drive(echoPlan(FAR_ADDRESSES, icmpPathsPerTarget, perPathMs), null);
  const sessions = FAR_ADDRESSES.length * stampPathsPerTarget;
  const { probing, reflecting } = stampPlans(farAddress(1), sessions, perPathMs);
  const reflector = await EngineProcess.reflect(reflecting);
  const stamp = await drive(probing, reflector.pid);
  await reflector.kill();
  return [...rows('ICMP', icmp, TARGETS.icmpRateMin), ...rows('STAMP', stamp, TARGETS.stampRateMin)];
}

async function drive(plan: ProbePlan, reflectorPid: number | null): Promise<Drive> {
  const reflectorCpuBefore = reflectorPid === null ? 0 : cpuNs(reflectorPid);
  const engine = await EngineProcess.probe(plan);
  const startMs = performance.now();
  const engineCpuBefore = cpuNs(engine.pid);
  await sleep(measureMs);
  const elapsedNs = (performance.now() - startMs) * 1e6;
  const engineCpu = (cpuNs(engine.pid) - engineCpuBefore) / elapsedNs;
  const reflectorCpu = reflectorPid === null ? 0 : (cpuNs(reflectorPid) - reflectorCpuBefore) / elapsedNs;
  return { report: await engine.finish(), seconds: elapsedNs / 1e9, engineCpu, reflectorCpu };
}

function rows(kind: string, { report, seconds, engineCpu, reflectorCpu }: Drive, rateMin: number): Row[] {
  const { outcomes, counters } = report;
  const reflector = reflectorCpu === 0 ? '' : `, reflector ${(reflectorCpu * 100).toFixed(0)} %`;
  const aside = ['socket_drops', 'stalls', 'slots_skipped', 'reply_unknown_probe', 'reply_corrupt'];
  return [
    atLeast(`${kind}: probes due per second`, outcomes.due / seconds, rateMin),
    atMost(`${kind}: lost, of ${outcomes.due} due and ${outcomes.received} received`, outcomes.lost, TARGETS.lostMax),
    atMost(
      `${kind}: missed (${outcomes.missed} probes)`,
      (100 * outcomes.missed) / outcomes.due,
      TARGETS.missedPercentMax,
      '%',
    ),
    info(`${kind}: late, refused, void`, `${outcomes.late}, ${outcomes.refused}, ${outcomes.void}`),
    info(`${kind}: ${aside.join(', ')}`, aside.map((name) => counters[name] ?? 0).join(', ')),
    info(`${kind}: CPU of one core`, `engine ${(engineCpu * 100).toFixed(0)} %${reflector}`),
  ];
}
