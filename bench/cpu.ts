/** CPU per probe: the engine against fping, 1,000 probes/s over 200 targets, in turns. */

import { setTimeout as sleep } from 'node:timers/promises';
import { EngineProcess } from './engine.ts';
import { fpingTotals, loopFping } from './fping.ts';
import { FAR_ADDRESSES } from './namespaces.ts';
import { echoPlan } from './plans.ts';
import { cpuNs, echoRequestsSent } from './proc.ts';
import { atMost, info, quantile, type Row, shown } from './report.ts';
import { SETTINGS, TARGETS } from './settings.ts';

interface Usage {
  usPerProbe: number;
  probesPerSecond: number;
}

interface EngineUsage extends Usage {
  /** CPU per probe in the warm-up, from when its sockets are open. */
  warmingUpUs: number;
}

interface FpingUsage extends Usage {
  /** Over its whole run, by its own count. */
  sentByItself: number;
  receivedByItself: number;
}

const { rounds, engineWarmUpMs, fpingWarmUpMs, measureMs, perTargetMs } = SETTINGS.cpu;

export async function benchCpu(): Promise<Row[]> {
  const ours: EngineUsage[] = [];
  const theirs: FpingUsage[] = [];
  for (let round = 0; round < rounds; round += 1) {
    theirs.push(await measureFping());
    ours.push(await measureEngine());
  }
  const ratios = ours.map((usage, round) => usage.usPerProbe / (theirs[round]?.usPerProbe ?? Number.NaN));
  const sum = (pick: (usage: FpingUsage) => number): number => theirs.reduce((total, usage) => total + pick(usage), 0);
  const [sent, received] = [sum((usage) => usage.sentByItself), sum((usage) => usage.receivedByItself)];
  return [
    info('popprobe engine: CPU per probe, µs', listed(ours.map((usage) => usage.usPerProbe))),
    info('fping: CPU per probe, µs', listed(theirs.map((usage) => usage.usPerProbe))),
    info('popprobe engine: probes/s sent', listed(ours.map((usage) => usage.probesPerSecond))),
    info('fping: probes/s sent', listed(theirs.map((usage) => usage.probesPerSecond))),
    info('fping: by its own count, warm-ups included', `${sent} sent, ${received} received`),
    info('popprobe engine: CPU per probe while it warms up, µs', listed(ours.map((usage) => usage.warmingUpUs))),
    atMost('CPU per probe, popprobe / fping, median of the rounds', quantile(ratios, 0.5), TARGETS.cpuRatioMax),
  ];
}

/** One figure of each round. */
function listed(figures: readonly number[]): string {
  return figures.map(shown).join(', ');
}

async function measureEngine(): Promise<EngineUsage> {
  const engine = await EngineProcess.probe(echoPlan(FAR_ADDRESSES, 1, perTargetMs));
  const { usPerProbe: warmingUpUs } = await measure(engine.pid, engineWarmUpMs);
  const usage = await measure(engine.pid, measureMs);
  await engine.finish();
  return { ...usage, warmingUpUs };
}

async function measureFping(): Promise<FpingUsage> {
  const fping = loopFping(FAR_ADDRESSES, perTargetMs);
  await sleep(fpingWarmUpMs);
  const usage = await measure(fping.pid, measureMs);
  const { stderr } = await fping.stop('SIGINT');
  const { sent, received } = fpingTotals(stderr);
  return { ...usage, sentByItself: sent, receivedByItself: received };
}

/** What the process uses from now on per echo request that leaves its namespace. */
async function measure(pid: number, durationMs: number): Promise<Usage> {
  const before = { cpuNs: cpuNs(pid), sent: echoRequestsSent(pid), atMs: performance.now() };
  await sleep(durationMs);
  const sent = echoRequestsSent(pid) - before.sent;
  const usedUs = (cpuNs(pid) - before.cpuNs) / 1000;
  return { usPerProbe: usedUs / sent, probesPerSecond: (sent * 1000) / (performance.now() - before.atMs) };
}
