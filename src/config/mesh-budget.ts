/** What a mesh costs its agents in paths, packets and memory. */

import type { IpFamily } from '../base/ip-address.ts';
import { MS_PER_S } from '../base/units.ts';
import { SLOT_BYTES, slotsFor } from '../ring/layout.ts';
import type { Schedule } from './mesh-config.ts';

/** UDP's header and the one of an ICMP echo are of the same length. */
const TRANSPORT_HEADER_BYTES = 8;
const IP_HEADER_BYTES: Record<IpFamily, number> = { ipv4: 20, ipv6: 40 };

/** What of a probe class costs something; an ICMP class has no flows and counts as one. */
export interface BudgetClass {
  readonly family: IpFamily;
  readonly intervalMs: number;
  readonly sizeBytes: number;
  readonly flows?: number;
}

/** What of a mesh costs something. */
export interface BudgetMesh {
  readonly schedule: Schedule;
  readonly windowS: number;
  readonly tmaxMs: number;
  readonly pops: readonly BudgetPop[];
  readonly probes: readonly BudgetClass[];
}

/** The families in which a PoP has an address; null where it has none. */
export type BudgetPop = Readonly<Record<IpFamily, string | null>>;

/** What an agent sends to each peer with which it shares these families. */
export interface PeerBudget {
  families: readonly IpFamily[];
  paths: number;
  probesPerSecond: number;
  /** Of IP packets, in one direction. */
  bitsPerSecond: number;
  /** Slots of the ring. */
  slots: number;
}

export interface AgentBudget {
  peers: number;
  paths: number;
  probesPerSecond: number;
  /** Octets of shared memory for the slots of all paths. */
  ringBytes: number;
}

/** What the agent of one of the mesh's PoPs has to do. */
export function agentBudget(mesh: BudgetMesh, self: BudgetPop): AgentBudget {
  return sumOf(groupsOf(mesh, self));
}

/** The most that any agent of the mesh has to do, figure by figure. */
export function meshBudget(mesh: BudgetMesh): AgentBudget {
  const budgets = onePopOfEachKind(mesh).map((pop) => agentBudget(mesh, pop));
  const most = (figureOf: (budget: AgentBudget) => number): number => Math.max(0, ...budgets.map(figureOf));
  return {
    peers: most(({ peers }) => peers),
    paths: most(({ paths }) => paths),
    probesPerSecond: most(({ probesPerSecond }) => probesPerSecond),
    ringBytes: most(({ ringBytes }) => ringBytes),
  };
}

/** What any agent of the mesh sends to one peer: an entry for each set of families that two PoPs share. */
export function peerBudgets(mesh: BudgetMesh): PeerBudget[] {
  return onePopOfEachKind(mesh).flatMap((pop) => groupsOf(mesh, pop).map(({ peer }) => peer));
}

/** Probes per second of a class towards one peer. */
export function rateOf(probe: BudgetClass): number {
  return (flowsOf(probe) * MS_PER_S) / probe.intervalMs;
}

/** Bits per second of a class towards one peer, as IP packets. */
export function bitRateOf(probe: BudgetClass): number {
  return rateOf(probe) * 8 * (probe.sizeBytes + TRANSPORT_HEADER_BYTES + IP_HEADER_BYTES[probe.family]);
}

/** Peers that share the same families with an agent. */
interface Group {
  peers: number;
  peer: PeerBudget;
}

function groupsOf(mesh: BudgetMesh, self: BudgetPop): Group[] {
  const groups = new Map<string, Group>();
  // The agent's own PoP is among them: it shares all of its families with itself.
  const own = familiesOf(self).join();
  for (const pop of mesh.pops) {
    const families = familiesOf(pop).filter((family) => self[family] !== null);
    const group = groups.get(families.join());
    if (group !== undefined) group.peers++;
    else if (families.length > 0) groups.set(families.join(), { peers: 1, peer: peerBudget(mesh, families) });
  }
  const alike = groups.get(own);
  if (alike !== undefined) alike.peers--;
  return [...groups.values()].filter(({ peers }) => peers > 0);
}

function sumOf(groups: readonly Group[]): AgentBudget {
  return {
    peers: sum(groups, ({ peers }) => peers),
    paths: sum(groups, ({ peers, peer }) => peers * peer.paths),
    probesPerSecond: sum(groups, ({ peers, peer }) => peers * peer.probesPerSecond),
    ringBytes: sum(groups, ({ peers, peer }) => peers * peer.slots * SLOT_BYTES),
  };
}

function peerBudget(mesh: BudgetMesh, families: readonly IpFamily[]): PeerBudget {
  const classes = mesh.probes.filter(({ family }) => families.includes(family));
  const isPoisson = mesh.schedule === 'poisson';
  return {
    families,
    paths: sum(classes, flowsOf),
    probesPerSecond: sum(classes, rateOf),
    bitsPerSecond: sum(classes, bitRateOf),
    slots: sum(classes, (probe) => flowsOf(probe) * slotsFor(mesh.windowS, mesh.tmaxMs, probe.intervalMs, isPoisson)),
  };
}

/** PoPs with the same families have the same budget. */
function onePopOfEachKind(mesh: BudgetMesh): BudgetPop[] {
  return [...new Map(mesh.pops.map((pop) => [familiesOf(pop).join(), pop])).values()];
}

function familiesOf(pop: BudgetPop): IpFamily[] {
  return (['ipv4', 'ipv6'] as const).filter((family) => pop[family] !== null);
}

function flowsOf(probe: BudgetClass): number {
  return probe.flows ?? 1;
}

function sum<T>(items: readonly T[], figureOf: (item: T) => number): number {
  return items.reduce((total, item) => total + figureOf(item), 0);
}
