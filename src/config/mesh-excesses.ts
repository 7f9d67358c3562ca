/** Every limit on what a mesh asks of its agents that is exceeded, also where other parts of the file are wrong. */

import { LIMITS } from '../base/limits.ts';
import { type BudgetClass, meshBudget, rateOf } from './mesh-budget.ts';
import { icmpSchema, meshSchema, stampSchema } from './mesh-schema.ts';
import type { ConfigProblem } from './problem.ts';
import { listed, type Path } from './quote.ts';
import { soundPart } from './sound-part.ts';
import { placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

interface PlacedClass extends BudgetClass {
  index: number;
}

interface Row {
  path: Path;
  figure: number;
  max: number;
  unit: string;
  because: string;
  remedy: string;
}

/**
 * Adds up the parts that are sound in themselves. What is left out could only raise the figures, so that none of them
 * accuses wrongly. A figure that needs a value which is wrong is not judged.
 */
export function meshExcesses(source: YamlSource): ConfigProblem[] {
  const pops = valueAt(source, ['pops']);
  if (!Array.isArray(pops)) return [];
  const probes = soundClasses(source);
  const windows = soundPart(meshSchema, source.value, ['window_s', 'tmax_ms']);
  // The shortest window and wait there can be: the figures that depend on them are left out below.
  const { window_s: windowS, tmax_ms: tmaxMs } = windows ?? {
    window_s: LIMITS.windowSecondsMin,
    tmax_ms: LIMITS.tmaxMsMin,
  };
  const budget = meshBudget({ windowS, tmaxMs, pops, probes });
  const { peers } = budget;
  const among = `${peers} peers (${placeOf(source, ['pops'])})`;
  const each = (figure: string): string => `${figure} each (${placeOf(source, ['probes'])})`;
  const rates = listed(probes.map((p) => `${round(rateOf(p))} at ${placeOf(source, ['probes', p.index])}`));
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
      because: `${among} times ${each(`${budget.pathsPerPeer} paths`)}`,
      remedy: 'use fewer probe classes or flows',
    },
    {
      path: ['pops'],
      figure: budget.probesPerSecond,
      max: LIMITS.probesPerSecondMax,
      unit: 'probes/s per agent',
      because: `${among} times ${each(`${round(budget.probesPerSecondPerPeer)} probes/s`)}`,
      remedy: 'raise interval_ms or lower flows',
    },
    {
      path: ['probes'],
      figure: windows === null ? 0 : budget.ringBytes,
      max: LIMITS.ringBytesMax,
      unit: 'octets of memory for the rings of an agent',
      because: `${among}, and window_s ${windowS} (${placeOf(source, ['window_s'])})`,
      remedy: 'raise interval_ms or lower window_s',
    },
  ];
  return rows.filter(({ figure, max }) => figure > max).map((row) => excess(source, row));
}

function soundClasses(source: YamlSource): PlacedClass[] {
  const probes = valueAt(source, ['probes']);
  if (!Array.isArray(probes)) return [];
  return probes.flatMap((probe: unknown, index) => {
    const stamp = soundPart(stampSchema, probe, ['kind', 'interval_ms', 'flows']);
    const sound = stamp ?? soundPart(icmpSchema, probe, ['kind', 'interval_ms']);
    if (sound === null) return [];
    return [{ index, intervalMs: sound.interval_ms, flows: stamp?.flows ?? 1 }];
  });
}

function excess(source: YamlSource, { path, figure, max, unit, because, remedy }: Row): ConfigProblem {
  const expected = `at most ${max} ${unit}`;
  return problemAt(source, path, { code: 'config_conflict', expected, found: `${round(figure)} (${because})`, remedy });
}

function round(figure: number): number {
  return Math.round(figure * 10) / 10;
}
