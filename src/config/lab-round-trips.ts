/** Pairs whose probes would be lost for their delay alone: what the network does to them is then not what the scenario says. */

import type { DirectionPart } from './lab-directions.ts';
import { type BehaviourKey, type Layer, lookUp, merged } from './lab-layers.ts';
import type { ChangePart } from './lab-parts.ts';
import { labSchema } from './lab-schema.ts';
import type { ConfigProblem } from './problem.ts';
import type { Path } from './quote.ts';
import { soundPart } from './sound-part.ts';
import { placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

/** How many times its spread a delay is taken to grow: no normal packet, and 3 of 10,000 Pareto ones, are beyond this. */
const SPREADS = 10;

/** Of an MTU of 1500, as a line sends them; divided by kbit/s they are ms. */
const LARGEST_PACKET_BITS = 12_000;

/** Both directions of a pair, and all that ever changes them. */
interface Pair {
  readonly directions: readonly [DirectionPart, DirectionPart];
  /** In the order in which they happen. */
  readonly changes: readonly ChangePart[];
}

/** Holds the worst round trip of every pair, at first and after each change, against Tmax. No place is named twice. */
export function tooLongRoundTrips(
  source: YamlSource,
  directions: readonly DirectionPart[],
  changes: ReadonlyMap<string, readonly ChangePart[]>,
): ConfigProblem[] {
  const tmaxMs = soundPart(labSchema, source.value, ['tmax_ms'])?.tmax_ms;
  if (tmaxMs === undefined) return [];
  const problems = new Map<string, ConfigProblem>();
  for (const pair of pairsOf(directions, changes)) {
    for (const { path, ms } of tooLong(pair, tmaxMs)) {
      const problem = tooLongAt(source, path, pair, ms, tmaxMs);
      if (!problems.has(problem.where)) problems.set(problem.where, problem);
    }
  }
  return [...problems.values()];
}

function pairsOf(directions: readonly DirectionPart[], changes: ReadonlyMap<string, readonly ChangePart[]>): Pair[] {
  const byPlaces = new Map(directions.map((direction) => [`${direction.from} ${direction.to}`, direction]));
  return directions.flatMap((forward) => {
    const reverse = byPlaces.get(`${forward.to} ${forward.from}`);
    if (reverse === undefined || forward.from > forward.to) return [];
    const own = new Set([forward, reverse].flatMap(({ way }) => changes.get(way) ?? []));
    return [{ directions: [forward, reverse], changes: [...own].toSorted((a, b) => a.startS - b.startS) }];
  });
}

/** The places that make the pair's round trip too long: where its delay stands, or else the events that add to it. */
function tooLong({ directions, changes }: Pair, tmaxMs: number): { path: Path; ms: number }[] {
  const unchanged = roundTripMs(directions, []);
  if (unchanged === null) return [];
  if (unchanged >= tmaxMs) return [{ path: delayPath(directions), ms: unchanged }];
  return changes.flatMap((change) => {
    const active = changes.filter(({ startS, endS }) => startS <= change.startS && change.startS < endS);
    const ms = roundTripMs(directions, active);
    const without = roundTripMs(directions, active.toSpliced(active.indexOf(change), 1));
    if (ms === null || without === null || ms < tmaxMs || without >= tmaxMs) return [];
    return [{ path: change.path, ms }];
  });
}

/** Where the delay of the slower direction stands. */
function delayPath([forward, reverse]: Pair['directions']): Path {
  const slower = (slowestMs(forward, []) ?? 0) >= (slowestMs(reverse, []) ?? 0) ? forward : reverse;
  const delay = lookUp(slower.layers, 'delay_ms');
  return delay === null || delay === 'open' ? ['links'] : delay.path;
}

function roundTripMs([forward, reverse]: Pair['directions'], active: readonly ChangePart[]): number | null {
  const there = slowestMs(forward, active);
  const back = slowestMs(reverse, active);
  return there === null || back === null ? null : there + back;
}

/** Of the slowest member; null where a mistake leaves it open. */
function slowestMs({ way, layers, members }: DirectionPart, active: readonly ChangePart[]): number | null {
  if (members === null) return null;
  const delays = members.map((member, index) => {
    const own = active.filter((c) => c.ways.includes(way) && (c.member === null || c.member === index));
    return worstMs([...layers, member], own);
  });
  return delays.reduce((slowest, ms) => (slowest === null || ms === null ? null : Math.max(slowest, ms)), 0);
}

/** What adds to a delay. */
const PARTS = ['delay_ms', 'spread_ms', 'jitter_ms', 'reorder', 'rate'] as const satisfies readonly BehaviourKey[];

function worstMs(layers: readonly Layer[], changes: readonly ChangePart[]): number | null {
  const all = [...layers, ...changes.map(({ set }) => set)];
  const { delay_ms } = merged(layers);
  if (delay_ms === undefined || PARTS.some((key) => lookUp(all, key) === 'open')) return null;
  // A factor multiplies the delay that is there when its turn comes; a later event may set another.
  const delay = changes.reduce((ms, { set, delayFactor }) => (set.fields.delay_ms ?? ms) * delayFactor, delay_ms);
  const { spread_ms = 0, jitter_ms = 0, reorder, rate } = merged(all);
  const line = rate ? rate.queue_ms + LARGEST_PACKET_BITS / rate.kbit_per_s : 0;
  return delay + SPREADS * spread_ms + jitter_ms + (reorder?.by_ms ?? 0) + line;
}

function tooLongAt(source: YamlSource, path: Path, pair: Pair, ms: number, tmaxMs: number): ConfigProblem {
  const names = pair.directions[0].way.replace(' ', ' to ');
  const isDefault = valueAt(source, ['tmax_ms']) === undefined;
  const origin = isDefault ? 'the default of tmax_ms' : `tmax_ms at ${placeOf(source, ['tmax_ms'])}`;
  return problemAt(source, path, {
    code: 'config_conflict',
    expected: `a round trip below ${tmaxMs} ms (${origin}) also at its worst`,
    found: `${Math.round(ms * 10) / 10} ms from ${names} and back`,
    remedy: 'lower the delay or what is added to it, or raise tmax_ms',
  });
}
