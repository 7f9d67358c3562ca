/** Accuracy: the reported round trip against captures at both ends, other tools' and ours, idle and with the CPUs busy. */

import type { IpFamily } from '../../src/base/ip-address.ts';
import { isInstalled } from '../programs.ts';
import { start } from '../processes.ts';
import { atMost, info, quantile, type Row, shown, skipped } from '../report.ts';
import { SETTINGS, TARGETS } from '../settings.ts';
import { Capture } from './capture.ts';
import { addressOf, type Prober, probersHere, type Reported, TOOLS } from './probers.ts';

const { rounds, warmUpProbes, busyProcesses } = SETTINGS.accuracy;

const FAMILIES: readonly IpFamily[] = ['ipv4', 'ipv6'];

/** A prober and |reported - truth| of each of its probes after the warm-up, µs. */
interface Errors {
  prober: Prober;
  errorsUs: number[];
}

/** Captures go to the folder. */
export async function benchAccuracy(folder: string): Promise<Row[]> {
  const absent = TOOLS.filter((tool) => !isInstalled(tool));
  if (absent.length === TOOLS.length) return [skipped('Accuracy', `none of ${TOOLS.join(', ')} installed`)];
  const rows = absent.map((tool) => skipped(`RTT error of ${tool}`, `${tool} not installed`));
  for (const family of FAMILIES) rows.push(...(await compare(`idle, ${family}`, family, folder)));
  const spinners = Array.from({ length: busyProcesses }, () =>
    start({ namespace: null, command: 'sh', args: ['-c', 'while :; do :; done'] }),
  );
  for (const family of FAMILIES) rows.push(...(await compare(`CPUs busy, ${family}`, family, folder)));
  await Promise.all(spinners.map((spinner) => spinner.stop('SIGKILL')));
  return rows;
}

/** Pools several starts, because what a probe finds of the CPU depends on its phase against the others. */
async function compare(condition: string, family: IpFamily, folder: string): Promise<Row[]> {
  const all = probersHere().map((prober): Errors => ({ prober, errorsUs: [] }));
  for (let round = 0; round < rounds; round += 1) await runOnce(all, family, folder);
  const others = all.filter(({ prober }) => !prober.isOurs);
  const ours = all.filter(({ prober }) => prober.isOurs);
  return [
    ...all.map((errors) => figures(condition, errors)),
    ...ours.flatMap((errors) => [
      ratio(condition, 'median', 0.5, TARGETS.medianErrorRatioMax, errors, others),
      ratio(condition, 'p99', 0.99, TARGETS.p99ErrorRatioMax, errors, others),
    ]),
  ];
}

function figures(condition: string, { prober, errorsUs }: Errors): Row {
  const [median, p99] = [quantile(errorsUs, 0.5), quantile(errorsUs, 0.99)];
  return info(
    `${condition}: RTT error of ${prober.name}, µs, median / p99`,
    `${shown(median)} / ${shown(p99)} (${errorsUs.length} probes)`,
  );
}

/** One quantile of our errors over that of whoever is best in it. */
function ratio(
  condition: string,
  quantity: string,
  share: number,
  max: number,
  ours: Errors,
  others: readonly Errors[],
): Row {
  const [best] = others
    .map(({ prober, errorsUs }) => ({ name: prober.name, error: quantile(errorsUs, share) }))
    .toSorted((a, b) => a.error - b.error);
  const value = quantile(ours.errorsUs, share) / (best?.error ?? Number.NaN);
  return atMost(
    `${condition}: ${ours.prober.name} / best of the others (${best?.name}), ${quantity} error`,
    value,
    max,
  );
}

async function runOnce(all: readonly Errors[], family: IpFamily, folder: string): Promise<void> {
  const capture = await Capture.start(folder);
  const reports = await Promise.all(all.map(({ prober }) => prober.report(addressOf(prober, family), family)));
  await capture.stop();
  for (const [index, { prober, errorsUs }] of all.entries()) {
    const truth = capture.roundTrips({ address: addressOf(prober, family), numbering: prober.numbering });
    errorsUs.push(...errorsOf(prober.name, reports[index] ?? new Map(), truth));
  }
}

/** Every answered probe has to be in the captures: a comparison with holes proves nothing. */
function errorsOf(name: string, reported: Reported, truth: ReadonlyMap<number, number>): number[] {
  const absent = [...reported.keys()].find((sequence) => !truth.has(sequence));
  if (absent !== undefined || reported.size === 0) {
    const probe = absent === undefined ? 'no probe' : `probe ${absent} of ${reported.size}`;
    throw new Error(`${name}: ${probe} was answered, and ${truth.size} are among the captured`);
  }
  const measured = [...reported].filter(([sequence]) => sequence >= warmUpProbes);
  return measured.map(([sequence, rttNs]) => Math.abs(rttNs - (truth.get(sequence) ?? Number.NaN)) / 1000);
}
