/** Accuracy: the reported round trip against captures at both ends, fping's and ours, idle and with the CPUs busy. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ProbePlan } from '../src/probe/plan.ts';
import { Capture } from './capture.ts';
import { EngineProcess } from './engine.ts';
import { fpingRoundTrips } from './fping.ts';
import { farAddress } from './namespaces.ts';
import type { Probed } from './pcap.ts';
import { echoPlan, stampPlans } from './plans.ts';
import { start } from './processes.ts';
import { atMost, info, quantile, type Row, shown } from './report.ts';
import { SETTINGS, TARGETS } from './settings.ts';

const { rounds, intervalMs, probes, warmUpProbes, busyProcesses } = SETTINGS.accuracy;

/** The three run at once, each to an address of its own: whatever the host does, it does to all. */
const FPING: Probed = { address: farAddress(1), numbering: 'icmp' };
const ICMP: Probed = { address: farAddress(2), numbering: 'popprobe' };
const STAMP: Probed = { address: farAddress(3), numbering: 'popprobe' };

/** Reported round trips, ns, by the probe's number on the wire. */
type Reported = Map<number, number>;

/** |reported - truth| of each probe after the warm-up, µs. */
interface Errors {
  fping: number[];
  icmp: number[];
  stamp: number[];
}

/** Captures go to the folder. */
export async function benchAccuracy(folder: string): Promise<Row[]> {
  const idle = await compare('idle', folder);
  const spinners = Array.from({ length: busyProcesses }, () =>
    start({ namespace: null, command: 'sh', args: ['-c', 'while :; do :; done'] }),
  );
  const busy = await compare('CPUs busy', folder);
  await Promise.all(spinners.map((spinner) => spinner.stop('SIGKILL')));
  return [...idle, ...busy];
}

/** Pools several starts, because what a probe finds of the CPU depends on its phase against the others. */
async function compare(load: string, folder: string): Promise<Row[]> {
  const errors: Errors = { fping: [], icmp: [], stamp: [] };
  for (let round = 0; round < rounds; round += 1) {
    const { fping, icmp, stamp } = await runOnce(folder);
    errors.fping.push(...fping);
    errors.icmp.push(...icmp);
    errors.stamp.push(...stamp);
  }
  return [
    figures(`${load}: RTT error of fping, µs, median / p99`, errors.fping),
    figures(`${load}: RTT error of popprobe ICMP, µs, median / p99`, errors.icmp),
    figures(`${load}: RTT error of popprobe STAMP, µs, median / p99`, errors.stamp),
    ...ratios(`${load}: popprobe ICMP / fping`, errors.icmp, errors.fping),
    ...ratios(`${load}: popprobe STAMP / fping`, errors.stamp, errors.fping),
  ];
}

function figures(what: string, errorsUs: readonly number[]): Row {
  const [median, p99] = [quantile(errorsUs, 0.5), quantile(errorsUs, 0.99)];
  return info(what, `${shown(median)} / ${shown(p99)} (${errorsUs.length} probes)`);
}

function ratios(what: string, ours: readonly number[], theirs: readonly number[]): Row[] {
  const ratio = (share: number): number => quantile(ours, share) / quantile(theirs, share);
  return [
    atMost(`${what}, median error`, ratio(0.5), TARGETS.errorRatioMax),
    atMost(`${what}, p99 error`, ratio(0.99), TARGETS.errorRatioMax),
  ];
}

async function runOnce(folder: string): Promise<Errors> {
  const stampPlan = stampPlans(STAMP.address, 1, intervalMs);
  const reflector = await EngineProcess.reflect(stampPlan.reflecting);
  const capture = await Capture.start(folder);
  const [fping, icmp, stamp] = await Promise.all([
    reportFping(),
    reportEngine(echoPlan([ICMP.address], 1, intervalMs)),
    reportEngine(stampPlan.probing),
  ]);
  await capture.stop();
  await reflector.kill();
  return {
    fping: errorsOf(fping, capture.roundTrips(FPING)),
    icmp: errorsOf(icmp, capture.roundTrips(ICMP)),
    stamp: errorsOf(stamp, capture.roundTrips(STAMP)),
  };
}

/** Every answered probe has to be in the captures: a comparison with holes proves nothing. */
function errorsOf(reported: Reported, truth: ReadonlyMap<number, number>): number[] {
  const absent = [...reported.keys()].find((sequence) => !truth.has(sequence));
  if (absent !== undefined) {
    throw new Error(`probe ${absent} of ${reported.size} was answered, but is not among the ${truth.size} captured`);
  }
  const measured = [...reported].filter(([sequence]) => sequence >= warmUpProbes);
  return measured.map(([sequence, rttNs]) => Math.abs(rttNs - (truth.get(sequence) ?? Number.NaN)) / 1000);
}

/** fping numbers its probes from 0, in the order in which it prints them. */
async function reportFping(): Promise<Reported> {
  const roundTrips = await fpingRoundTrips(FPING.address, probes, intervalMs);
  return new Map([...roundTrips.entries()].flatMap(([sequence, rttNs]) => (rttNs === null ? [] : [[sequence, rttNs]])));
}

async function reportEngine(plan: ProbePlan): Promise<Reported> {
  const engine = await EngineProcess.probe(plan, true);
  await sleep(probes * intervalMs);
  const { samples } = await engine.finish();
  return new Map(samples.map(({ sequence, rttNs }) => [sequence, rttNs]));
}
