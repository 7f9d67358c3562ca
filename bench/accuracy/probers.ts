/** Who is compared: the other tools and popprobe's two kinds, each with its own peer and way to report round trips. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { IpFamily } from '../../src/base/ip-address.ts';
import type { ProbePlan } from '../../src/probe/plan.ts';
import { farAddress } from '../addresses.ts';
import { EngineProcess } from '../engine.ts';
import { fpingRoundTrips } from '../fping.ts';
import { echoPlan, stampPlans } from '../plans.ts';
import { isInstalled } from '../programs.ts';
import { SETTINGS } from '../settings.ts';
import { irttRoundTrips } from './irtt.ts';
import type { Numbering } from './pcap.ts';
import { pingRoundTrips } from './ping.ts';

/** Reported round trips, ns, by the probe's number on the wire. */
export type Reported = ReadonlyMap<number, number>;

/** All probe at once, each to a peer of its own: whatever the host does, it does to all. */
export interface Prober {
  name: string;
  isOurs: boolean;
  /** Number of the peer it probes. */
  peer: number;
  numbering: Numbering;
  report: (address: string, family: IpFamily) => Promise<Reported>;
}

const { intervalMs, probes } = SETTINGS.accuracy;

/** The programs that popprobe is compared with. */
export const TOOLS = ['fping', 'ping', 'irtt'] as const;

const OTHERS: readonly Prober[] = [
  tool('fping', 1, 'icmp', fpingRoundTrips),
  tool('ping', 2, 'icmp', pingRoundTrips),
  tool('irtt', 3, 'irtt', irttRoundTrips),
];

const OURS: readonly Prober[] = [
  { name: 'popprobe ICMP', isOurs: true, peer: 4, numbering: 'popprobe', report: reportEcho },
  { name: 'popprobe STAMP', isOurs: true, peer: 5, numbering: 'popprobe', report: reportStamp },
];

/** Those that this host is able to run. */
export function probersHere(): Prober[] {
  return [...OTHERS.filter((prober) => isInstalled(prober.name)), ...OURS];
}

function tool(
  name: (typeof TOOLS)[number],
  peer: number,
  numbering: Numbering,
  roundTrips: (target: string, family: IpFamily, probes: number, intervalMs: number) => Promise<Reported>,
): Prober {
  const report = (address: string, family: IpFamily): Promise<Reported> =>
    roundTrips(address, family, probes, intervalMs);
  return { name, isOurs: false, peer, numbering, report };
}

function reportEcho(address: string, family: IpFamily): Promise<Reported> {
  return reportEngine(echoPlan([address], 1, intervalMs, family));
}

async function reportStamp(address: string, family: IpFamily): Promise<Reported> {
  const { probing, reflecting } = stampPlans(address, 1, intervalMs, family);
  const reflector = await EngineProcess.reflect(reflecting);
  const reported = await reportEngine(probing);
  await reflector.kill();
  return reported;
}

async function reportEngine(plan: ProbePlan): Promise<Reported> {
  const engine = await EngineProcess.probe(plan, true);
  await sleep(probes * intervalMs);
  const { samples } = await engine.finish();
  return new Map(samples.map(({ sequence, rttNs }) => [sequence, rttNs]));
}

/** The address a prober probes. */
export function addressOf(prober: Prober, family: IpFamily): string {
  return farAddress(prober.peer, family);
}
