/** CPU per probe: the engine against fping and against the same loop in C, 1,000 probes/s to 200 targets, in turns. */

import { setTimeout as sleep } from 'node:timers/promises';
import { cpuNs, packetsSent, type Protocol } from '../proc.ts';
import { isInstalled } from '../programs.ts';
import { atMost, info, quantile, type Row, shown, skipped } from '../report.ts';
import { SETTINGS, TARGETS } from '../settings.ts';
import {
  type Contestant,
  FPING_BURST,
  FPING_BURST_PRINTING,
  FPING_EVEN,
  FPING_EVEN_PRINTING,
  floorIcmp,
  floorStamp,
  POPPROBE_ICMP,
  POPPROBE_STAMP,
} from './contestants.ts';
import { buildFloor, COMPILER } from './floor.ts';

interface Usage {
  usPerProbe: number;
  probesPerSecond: number;
}

/** One round of a contestant. */
interface Turn extends Usage {
  /** CPU per probe in the warm-up of what is compiled while it runs, from when its sockets are open. */
  warmingUpUs: number | null;
  /** What it says of itself, warm-up included. */
  said: string;
}

/** A pair whose CPU per probe is compared: ours over theirs. */
interface Comparison {
  ours: Contestant;
  theirs: Contestant;
  max: number;
}

const { rounds, engineWarmUpMs, nativeWarmUpMs, measureMs } = SETTINGS.cpu;

/** The program in C is built in the folder. */
export async function benchCpu(folder: string): Promise<Row[]> {
  const { comparisons, rows } = arrange(folder);
  // Each contestant runs once a round, whoever it is compared with.
  const contestants = [...new Set(comparisons.flatMap(({ theirs, ours }) => [theirs, ours]))];
  const turns = new Map(contestants.map((contestant): [Contestant, Turn[]] => [contestant, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [contestant, own] of turns) own.push(await takeTurn(contestant));
  }
  for (const [contestant, own] of turns) rows.push(...figures(contestant, own));
  for (const { ours, theirs, max } of comparisons) {
    const ratios = (turns.get(ours) ?? []).map(
      (turn, round) => turn.usPerProbe / (turns.get(theirs)?.[round]?.usPerProbe ?? Number.NaN),
    );
    rows.push(atMost(`CPU per probe, ${ours.name} / ${theirs.name}, median of the rounds`, quantile(ratios, 0.5), max));
  }
  return rows;
}

/** What this host can compare, and a row for what it cannot. */
function arrange(folder: string): { comparisons: Comparison[]; rows: Row[] } {
  const comparisons: Comparison[] = [];
  const rows: Row[] = [];
  if (isInstalled('fping')) {
    comparisons.push(
      { ours: POPPROBE_ICMP, theirs: FPING_EVEN_PRINTING, max: TARGETS.cpuOverEvenFpingMax },
      { ours: POPPROBE_ICMP, theirs: FPING_EVEN, max: TARGETS.cpuOverEvenFpingMax },
      { ours: POPPROBE_ICMP, theirs: FPING_BURST_PRINTING, max: TARGETS.cpuOverBurstFpingMax },
      { ours: POPPROBE_ICMP, theirs: FPING_BURST, max: TARGETS.cpuOverBurstFpingMax },
    );
  } else rows.push(skipped('CPU per probe against fping', 'fping not installed'));
  if (isInstalled(COMPILER)) {
    const program = buildFloor(folder);
    comparisons.push(
      { ours: POPPROBE_ICMP, theirs: floorIcmp(program), max: TARGETS.cpuOverFloorMax },
      { ours: POPPROBE_STAMP, theirs: floorStamp(program), max: TARGETS.cpuOverFloorMax },
    );
  } else rows.push(skipped('CPU per probe against the same loop in C', `no ${COMPILER} installed`));
  return { comparisons, rows };
}

function figures({ name }: Contestant, turns: readonly Turn[]): Row[] {
  const listed = (figuresOfRounds: readonly number[]): string => figuresOfRounds.map(shown).join(', ');
  const warmingUp = turns.flatMap((turn) => turn.warmingUpUs ?? []);
  const rows = [
    info(`${name}: CPU per probe, µs`, listed(turns.map((turn) => turn.usPerProbe))),
    info(`${name}: probes/s sent`, listed(turns.map((turn) => Math.round(turn.probesPerSecond)))),
    info(`${name}: by its own count, last round`, turns.at(-1)?.said ?? ''),
  ];
  if (warmingUp.length > 0) rows.push(info(`${name}: CPU per probe while it warms up, µs`, listed(warmingUp)));
  return rows;
}

async function takeTurn({ protocol, isJustInTime, start }: Contestant): Promise<Turn> {
  const running = await start();
  const warmingUp = isJustInTime ? await measure(running.pid, protocol, engineWarmUpMs) : null;
  if (!warmingUp) await sleep(nativeWarmUpMs);
  const usage = await measure(running.pid, protocol, measureMs);
  return { ...usage, warmingUpUs: warmingUp?.usPerProbe ?? null, said: await running.stop() };
}

/** What the process uses from now on per probe that leaves its namespace. */
async function measure(pid: number, protocol: Protocol, durationMs: number): Promise<Usage> {
  const before = { cpuNs: cpuNs(pid), sent: packetsSent(pid, protocol), atMs: performance.now() };
  await sleep(durationMs);
  const sent = packetsSent(pid, protocol) - before.sent;
  const usedUs = (cpuNs(pid) - before.cpuNs) / 1000;
  return { usPerProbe: usedUs / sent, probesPerSecond: (sent * 1000) / (performance.now() - before.atMs) };
}
