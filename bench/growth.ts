/** Whether the engine's memory grows with the probes it sends: a million of them in one process. */

import { setTimeout as sleep } from 'node:timers/promises';
import { EngineProcess } from './engine.ts';
import type { EngineReport } from './engine-process.ts';
import { FAR_ADDRESSES } from './addresses.ts';
import { echoPlan } from './plans.ts';
import { memoryMb } from './proc.ts';
import { atMost, info, type Row } from './report.ts';
import { SETTINGS, TARGETS } from './settings.ts';

const POLL_MS = 100;

export async function benchGrowth(): Promise<Row[]> {
  const { icmpPathsPerTarget, perPathMs } = SETTINGS.throughput;
  const { warmUpProbes, probes } = SETTINGS.growth;
  const engine = await EngineProcess.probe(echoPlan(FAR_ADDRESSES, icmpPathsPerTarget, perPathMs));
  const before = await reached(engine, warmUpProbes);
  const rssBefore = memoryMb(engine.pid).rss;
  const after = await reached(engine, before.outcomes.due + probes);
  const rssAfter = memoryMb(engine.pid).rss;
  await engine.finish();
  const sent = after.outcomes.due - before.outcomes.due;
  return [
    info('Engine at 50,000 probes/s: RSS, MB', `${rssBefore.toFixed(1)} then ${rssAfter.toFixed(1)}`),
    info('  heap used, main thread, MB', `${before.heapUsedMb.toFixed(1)} then ${after.heapUsedMb.toFixed(1)}`),
    atMost(`RSS growth over ${sent} probes`, rssAfter - rssBefore, TARGETS.growthMbMax, 'MB'),
  ];
}

async function reached(engine: EngineProcess, due: number): Promise<EngineReport> {
  for (;;) {
    const report = await engine.report();
    if (report.outcomes.due >= due) return report;
    await sleep(POLL_MS);
  }
}
