/** Who is compared by CPU time: popprobe, fping in both its paces, and the same loop in C, all at the same rate. */

import { FAR_ADDRESSES, farAddress } from '../addresses.ts';
import { EngineProcess } from '../engine.ts';
import { fpingTotals, startFping, startPrintingFping } from '../fping.ts';
import { echoPlan, stampPlans } from '../plans.ts';
import type { Protocol } from '../proc.ts';
import { SETTINGS } from '../settings.ts';
import { startFloor, stopFloor } from './floor.ts';

export interface Contestant {
  name: string;
  /** What its probes are counted as. */
  protocol: Protocol;
  /** V8 compiles it while it runs: its warm-up is long, and has a figure of its own. */
  isJustInTime: boolean;
  start: () => Promise<Running>;
}

interface Running {
  pid: number;
  /** Ends it and what was started for it; returns what it says of its own probes. */
  stop: () => Promise<string>;
}

const { nativeWarmUpMs, measureMs, perTargetMs } = SETTINGS.cpu;

/** fping is told in advance how long it runs: longer than it is watched. */
const FPING_MARGIN_MS = 5000;

/** What fping waits between two probes, ms: `-i 1` spreads them evenly, `-i 0.01` sends all targets in one burst. */
const EVEN_MS = 1;
const BURST_MS = 0.01;

/** The STAMP sessions are all with one reflector: a process of 200 would cost a core more than what is measured. */
const REFLECTOR = farAddress(1);

export const POPPROBE_ICMP: Contestant = {
  name: 'popprobe ICMP',
  protocol: 'icmp',
  isJustInTime: true,
  start: () => startEngine(),
};

export const POPPROBE_STAMP: Contestant = {
  name: 'popprobe STAMP',
  protocol: 'udp',
  isJustInTime: true,
  start: () => withReflector(startStampEngine),
};

export const FPING_EVEN_PRINTING: Contestant = fping('fping, even pacing, a line a probe', EVEN_MS, startPrintingFping);
export const FPING_EVEN: Contestant = fping('fping, even pacing, silent', EVEN_MS, startFping);
export const FPING_BURST_PRINTING: Contestant = fping('fping, bursts, a line a probe', BURST_MS, startPrintingFping);
export const FPING_BURST: Contestant = fping('fping, bursts, silent', BURST_MS, startFping);

/** The loop in C, by the path of its program. */
export function floorIcmp(program: string): Contestant {
  const start = () => startLoop(program, 'icmp', FAR_ADDRESSES);
  return { name: 'loop in C, ICMP', protocol: 'icmp', isJustInTime: false, start };
}

/** The loop in C, by the path of its program. */
export function floorStamp(program: string): Contestant {
  const targets = FAR_ADDRESSES.map(() => REFLECTOR);
  const start = () => withReflector(() => startLoop(program, 'stamp', targets));
  return { name: 'loop in C, STAMP', protocol: 'udp', isJustInTime: false, start };
}

function fping(name: string, gapMs: number, run: typeof startFping): Contestant {
  const start = (): Promise<Running> => {
    const durationMs = nativeWarmUpMs + measureMs + FPING_MARGIN_MS;
    const program = run(FAR_ADDRESSES, { perTargetMs, gapMs, durationMs });
    const stop = async (): Promise<string> => {
      const { sent, received } = fpingTotals((await program.stop('SIGINT')).stderr);
      return `${sent} sent, ${received} received`;
    };
    return Promise.resolve({ pid: program.pid, stop });
  };
  return { name, protocol: 'icmp', isJustInTime: false, start };
}

async function startEngine(plan = echoPlan(FAR_ADDRESSES, 1, perTargetMs)): Promise<Running> {
  const engine = await EngineProcess.probe(plan);
  const stop = async (): Promise<string> => {
    const { outcomes } = await engine.finish();
    return `${outcomes.due} due, ${outcomes.received} received, ${outcomes.missed} missed`;
  };
  return { pid: engine.pid, stop };
}

function startStampEngine(): Promise<Running> {
  return startEngine(stampPlans(REFLECTOR, FAR_ADDRESSES.length, perTargetMs).probing);
}

async function startLoop(program: string, kind: 'icmp' | 'stamp', targets: readonly string[]): Promise<Running> {
  const loop = await startFloor(program, kind, targets, perTargetMs);
  return { pid: loop.pid, stop: () => stopFloor(loop) };
}

/** Our reflector at the far end for as long as the contestant runs; its CPU time is not the contestant's. */
async function withReflector(start: () => Promise<Running>): Promise<Running> {
  const reflector = await EngineProcess.reflect(stampPlans(REFLECTOR, FAR_ADDRESSES.length, perTargetMs).reflecting);
  const running = await start();
  const stop = async (): Promise<string> => {
    const said = await running.stop();
    await reflector.kill();
    return said;
  };
  return { pid: running.pid, stop };
}
