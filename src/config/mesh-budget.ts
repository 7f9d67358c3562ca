/** What a mesh costs each of its agents in paths, packets and memory, held against the limits. */

import { LIMITS } from '../base/limits.ts';
import { MS_PER_S } from '../base/units.ts';
import { SLOT_BYTES, slotsFor } from '../ring/layout.ts';
import type { MeshConfig, ProbeClass } from './mesh-config.ts';
import type { ConfigProblem } from './problem.ts';
import { listed, type Path } from './quote.ts';
import { placeOf, problemAt, type YamlSource } from './yaml-source.ts';

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

/** Adds up what one agent has to do for the mesh. Pure. */
export function meshBudget(mesh: MeshConfig): MeshBudget {
  const peers = mesh.pops.length - 1;
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

/**
 * Every limit that the mesh exceeds. Asked only of a mesh without other mistakes: a budget follows from all of the
 * file, and one computed from a wrong figure would accuse the right ones.
 */
export function meshBudgetProblems(mesh: MeshConfig, source: YamlSource): ConfigProblem[] {
  const budget = meshBudget(mesh);
  const { peers } = budget;
  const pops = `${peers} peers (${placeOf(source, ['pops'])})`;
  const probes = (figure: string): string => `${figure} each (${placeOf(source, ['probes'])})`;
  const rates = listed(mesh.probes.map((p, i) => `${round(rateOf(p))} at ${placeOf(source, ['probes', i])}`));
  const rows: Row[] = [
    {
      path: ['probes'],
      figure: budget.probesPerSecondPerPeer,
      max: LIMITS.probesPerSecondPerPeerMax,
      unit: 'probes/s per peer',
      because: rates,
      remedy: 'raise interval_ms or lower flows',
    },
    {
      path: ['pops'],
      figure: budget.paths,
      max: LIMITS.pathsMax,
      unit: 'paths per agent',
      because: `${pops} times ${probes(`${budget.pathsPerPeer} paths`)}`,
      remedy: 'use fewer probe classes or flows',
    },
    {
      path: ['pops'],
      figure: budget.probesPerSecond,
      max: LIMITS.probesPerSecondMax,
      unit: 'probes/s per agent',
      because: `${pops} times ${probes(`${round(budget.probesPerSecondPerPeer)} probes/s`)}`,
      remedy: 'raise interval_ms or lower flows',
    },
    {
      path: ['probes'],
      figure: budget.ringBytes,
      max: LIMITS.ringBytesMax,
      unit: 'octets of memory for the rings of an agent',
      because: `${pops}, and window_s ${mesh.windowS} (${placeOf(source, ['window_s'])})`,
      remedy: 'raise interval_ms or lower window_s',
    },
  ];
  return rows.filter(({ figure, max }) => figure > max).map((row) => excess(source, row));
}

interface Row {
  path: Path;
  figure: number;
  max: number;
  unit: string;
  because: string;
  remedy: string;
}

function excess(source: YamlSource, { path, figure, max, unit, because, remedy }: Row): ConfigProblem {
  const expected = `at most ${max} ${unit}`;
  return problemAt(source, path, { code: 'config_conflict', expected, found: `${round(figure)} (${because})`, remedy });
}

/** One path for an ICMP class, one a flow for a STAMP class. */
function flowsOf(probe: ProbeClass): number {
  return probe.kind === 'stamp' ? probe.flows : 1;
}

function rateOf(probe: ProbeClass): number {
  return (flowsOf(probe) * MS_PER_S) / probe.intervalMs;
}

function sum<T>(items: readonly T[], figureOf: (item: T) => number): number {
  return items.reduce((total, item) => total + figureOf(item), 0);
}

function round(figure: number): number {
  return Math.round(figure * 10) / 10;
}
