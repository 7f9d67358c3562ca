/** Every limit on what a mesh asks of its agents that is exceeded, also where other parts of the file are wrong. */

import { LIMITS } from '../base/limits.ts';
import { bitRateOf, type BudgetMesh, meshBudget, type PeerBudget, peerBudgets, rateOf } from './mesh-budget.ts';
import { addressOf, type ClassPart, classParts } from './mesh-parts.ts';
import { limitsSchema, meshSchema } from './mesh-schema.ts';
import type { ConfigProblem } from './problem.ts';
import { dotted, listed, type Path } from './quote.ts';
import { mayBeMisspelt, soundPart } from './sound-part.ts';
import { itemsAt, placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

interface Row extends Limit {
  path: Path;
  figure: number;
  unit: string;
  because: string;
  remedy: string;
}

interface Limit {
  /** Infinite where a mistake leaves it open. */
  max: number;
  /** Of a limit that the mesh sets itself: where, or that it is the default. */
  origin?: string;
}

interface SoundMesh extends BudgetMesh {
  probes: readonly ClassPart[];
}

/**
 * Adds up the parts that are sound in themselves. What is left out could only raise the figures, so that none of them
 * accuses wrongly.
 */
export function meshExcesses(source: YamlSource): ConfigProblem[] {
  const pops = itemsAt(source, ['pops']).map((pop) => ({ ipv4: addressOf(pop, 'ipv4'), ipv6: addressOf(pop, 'ipv6') }));
  // Nothing is known of the rings where window_s or tmax_ms is wrong; all other figures stand without them.
  const windows = soundPart(meshSchema, source.value, ['window_s', 'tmax_ms']);
  const schedule = soundPart(meshSchema, source.value, ['schedule'])?.schedule ?? 'periodic';
  const [windowS, tmaxMs] = [windows?.window_s ?? 0, windows?.tmax_ms ?? 0];
  const mesh = { schedule, windowS, tmaxMs, pops, probes: classParts(source) };
  return [...peerRows(source, mesh), ...agentRows(source, mesh)]
    .filter(({ figure, max }) => figure > max)
    .map((row) => excess(source, row));
}

function peerRows(source: YamlSource, mesh: SoundMesh): Row[] {
  const budgets = peerBudgets(mesh);
  const densest = most(budgets, (peer) => peer.probesPerSecond);
  const widest = most(budgets, (peer) => peer.bitsPerSecond);
  if (densest === null || widest === null) return [];
  return [
    {
      path: ['probes'],
      figure: densest.probesPerSecond,
      ...limitOf(source, 'probes_per_second_per_peer'),
      unit: 'probes/s per peer',
      because: figuresOfClasses(source, mesh, densest, rateOf),
      remedy: 'raise interval_ms or lower flows',
    },
    {
      path: ['probes'],
      figure: widest.bitsPerSecond,
      ...limitOf(source, 'bits_per_second_per_peer'),
      unit: 'bit/s per peer',
      because: figuresOfClasses(source, mesh, widest, bitRateOf),
      remedy: 'raise interval_ms, or lower flows or size_bytes',
    },
  ];
}

function agentRows(source: YamlSource, mesh: SoundMesh): Row[] {
  const { peers, paths, probesPerSecond, ringBytes } = meshBudget(mesh);
  const budgets = peerBudgets(mesh);
  const pathsEach = Math.max(0, ...budgets.map((peer) => peer.paths));
  const probesEach = Math.max(0, ...budgets.map((peer) => peer.probesPerSecond));
  const among = `${peers} peers (${placeOf(source, ['pops'])})`;
  const each = (figure: string): string => `with up to ${figure} each (${placeOf(source, ['probes'])})`;
  return [
    {
      path: ['pops'],
      figure: paths,
      max: LIMITS.pathsMax,
      unit: 'paths per agent',
      because: `${among} ${each(`${pathsEach} paths`)}`,
      remedy: 'use fewer probe classes or flows',
    },
    {
      path: ['pops'],
      figure: probesPerSecond,
      ...limitOf(source, 'probes_per_second_per_agent'),
      unit: 'probes/s per agent',
      because: `${among} ${each(`${round(probesEach)} probes/s`)}`,
      remedy: 'raise interval_ms or lower flows',
    },
    {
      path: ['probes'],
      figure: ringBytes,
      max: LIMITS.ringBytesMax,
      unit: 'octets of memory for the rings of an agent',
      because: `${among}, and window_s ${mesh.windowS} (${placeOf(source, ['window_s'])})`,
      remedy: 'raise interval_ms or lower window_s',
    },
  ];
}

function limitOf(source: YamlSource, key: keyof typeof limitsSchema.shape): Limit {
  const given = valueAt(source, ['limits']);
  const isOpen = mayBeMisspelt(meshSchema, source.value, 'limits');
  const part = isOpen ? null : soundPart(limitsSchema, given === undefined ? {} : given, [key]);
  if (part === null) return { max: Number.POSITIVE_INFINITY };
  const path = ['limits', key];
  const isDefault = valueAt(source, path) === undefined;
  const origin = isDefault ? `the default of ${dotted(path)}` : `${dotted(path)} at ${placeOf(source, path)}`;
  return { max: part[key], origin };
}

function excess(source: YamlSource, { path, figure, max, origin, unit, because, remedy }: Row): ConfigProblem {
  const expected = `at most ${max} ${unit}${origin === undefined ? '' : ` (${origin})`}`;
  return problemAt(source, path, { code: 'config_conflict', expected, found: `${round(figure)} (${because})`, remedy });
}

/** What each class adds to a figure towards a peer, with the line of the class. */
function figuresOfClasses(
  source: YamlSource,
  mesh: SoundMesh,
  { families }: PeerBudget,
  figureOf: (probe: ClassPart) => number,
): string {
  const classes = mesh.probes.filter(({ family }) => families.includes(family));
  return listed(classes.map((p) => `${round(figureOf(p))} at ${placeOf(source, ['probes', p.index])}`));
}

function most<T>(items: readonly T[], figureOf: (item: T) => number): T | null {
  return items.reduce<T | null>((best, item) => (best === null || figureOf(item) > figureOf(best) ? item : best), null);
}

function round(figure: number): number {
  return Math.round(figure * 10) / 10;
}
