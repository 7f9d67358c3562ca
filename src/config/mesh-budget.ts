/** What a mesh costs each of its agents in paths, packets and memory. */

import { MS_PER_S } from '../base/units.ts';
import { SLOT_BYTES, slotsFor } from '../ring/layout.ts';

/** Figures of one agent; every agent of a mesh has the same. */
export interface MeshBudget {
  peers: number;
  pathsPerPeer: number;
  paths: number;
  probesPerSecondPerPeer: number;
  probesPerSecond: number;
  /** Octets of shared memory for the slots of all paths. */
  ringBytes: number;
}

/** What of a probe class costs something; an ICMP class has no flows and counts as one. */
export interface BudgetClass {
  readonly intervalMs: number;
  readonly flows?: number;
}

/** What of a mesh costs something. */
export interface BudgetMesh {
  readonly windowS: number;
  readonly tmaxMs: number;
  readonly pops: readonly unknown[];
  readonly probes: readonly BudgetClass[];
}

/** Adds up what one agent has to do for the mesh. Pure. */
export function meshBudget(mesh: BudgetMesh): MeshBudget {
  const peers = Math.max(0, mesh.pops.length - 1);
  const pathsPerPeer = sum(mesh.probes, flowsOf);
  const probesPerSecondPerPeer = sum(mesh.probes, rateOf);
  const slotsPerPeer = sum(mesh.probes, (p) => flowsOf(p) * slotsFor(mesh.windowS, mesh.tmaxMs, p.intervalMs));
  return {
    peers,
    pathsPerPeer,
    paths: peers * pathsPerPeer,
    probesPerSecondPerPeer,
    probesPerSecond: peers * probesPerSecondPerPeer,
    ringBytes: peers * slotsPerPeer * SLOT_BYTES,
  };
}

/** Probes per second of a class towards one peer. */
export function rateOf(probe: BudgetClass): number {
  return (flowsOf(probe) * MS_PER_S) / probe.intervalMs;
}

function flowsOf(probe: BudgetClass): number {
  return probe.flows ?? 1;
}

function sum<T>(items: readonly T[], figureOf: (item: T) => number): number {
  return items.reduce((total, item) => total + figureOf(item), 0);
}
