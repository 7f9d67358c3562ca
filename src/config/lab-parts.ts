/** What can be relied upon in a scenario that may have mistakes: its PoPs, whom an entry is about, and its events. */

import type { z } from 'zod';
import type { IpFamily } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { type Layer, layerIn } from './lab-layers.ts';
import { endsSchema, eventSchema, labPopSchema, labSchema } from './lab-schema.ts';
import type { Path } from './quote.ts';
import { mayBeMisspelt, soundPart } from './sound-part.ts';
import { itemsAt, valueAt, type YamlSource } from './yaml-source.ts';

export interface LabPopPart {
  readonly index: number;
  /** null, as the others, when it is wrong or missing. */
  readonly name: string | null;
  readonly families: readonly IpFamily[] | null;
  readonly clockOffsetMs: number | null;
}

/** Every item of `pops`, whatever it is; null when that is no list, or one that is too long to look at. */
export function labPops(source: YamlSource): LabPopPart[] | null {
  const pops = valueAt(source, ['pops']);
  if (!Array.isArray(pops) || pops.length > LIMITS.labPopsMax) return null;
  const ofAll = soundPart(labSchema, source.value, ['families'])?.families ?? null;
  return pops.map((pop: unknown, index) => {
    const own = soundPart(labPopSchema, pop, ['families']);
    return {
      index,
      name: soundPart(labPopSchema, pop, ['name'])?.name ?? null,
      families: own === null ? null : (own.families ?? ofAll),
      clockOffsetMs: soundPart(labPopSchema, pop, ['clock_offset_ms'])?.clock_offset_ms ?? null,
    };
  });
}

/** The names of all PoPs; null while one of them, or how many there are, is open. */
export function labNames(pops: readonly LabPopPart[] | null): string[] | null {
  const names = pops?.flatMap(({ name }) => name ?? []);
  return names === undefined || names.length !== pops?.length ? null : names;
}

/** Whom an entry of `links` or `events` is about: both directions of a pair, or one. */
export interface Ends {
  readonly kind: 'between' | 'from';
  readonly names: readonly [from: string, to: string];
  /** Where the two names stand. */
  readonly paths: readonly [from: Path, to: Path];
}

/** null when the entry, which has this schema, does not say it, says it twice, or says it with a mistake. */
export function endsAt(source: YamlSource, path: Path, schema: z.ZodObject): Ends | null {
  const given = valueAt(source, path);
  if (Object.keys(endsSchema.shape).some((key) => mayBeMisspelt(schema, given, key))) return null;
  const { between, from, to } = endsSchema.safeParse(given).data ?? {};
  if (between !== undefined && from === undefined && to === undefined) {
    const list = [...path, 'between'];
    const paths = [
      [...list, 0],
      [...list, 1],
    ] as const;
    return { kind: 'between', names: between, paths };
  }
  if (between !== undefined || from === undefined || to === undefined) return null;
  return {
    kind: 'from',
    names: [from, to],
    paths: [
      [...path, 'from'],
      [...path, 'to'],
    ],
  };
}

/** Names of the directions as `from` and `to`, which a name of a PoP cannot contain a space between. */
export function waysOf({ kind, names: [from, to] }: Ends): string[] {
  return kind === 'between' ? [wayOf(from, to), wayOf(to, from)] : [wayOf(from, to)];
}

export function wayOf(from: string, to: string): string {
  return `${from} ${to}`;
}

interface Timed {
  readonly path: Path;
  readonly startS: number;
  /** Infinity when it stays. */
  readonly endS: number;
}

interface IsolationPart extends Timed {
  readonly isolate: string;
}

export interface ChangePart extends Timed {
  /** Directions, as of `wayOf`. */
  readonly ways: readonly string[];
  /** null for all members. */
  readonly member: number | null;
  readonly set: Layer;
  readonly delayFactor: number;
}

/** The events of which is known when they are and whom they are about; none where there are too many to look at. */
export function labEvents(source: YamlSource): (IsolationPart | ChangePart)[] {
  const events = itemsAt(source, ['events']);
  if (events.length > LIMITS.labEventsMax) return [];
  return events.flatMap((event, index) => eventAt(source, ['events', index], event) ?? []);
}

function eventAt(source: YamlSource, path: Path, event: unknown): IsolationPart | ChangePart | null {
  const part = soundPart(eventSchema, event, ['at_s', 'for_s', 'isolate', 'member', 'delay_factor']);
  if (part === null) return null;
  const timed = { path, startS: part.at_s, endS: part.at_s + (part.for_s ?? Number.POSITIVE_INFINITY) };
  if (part.isolate !== undefined) return { ...timed, isolate: part.isolate };
  const ends = endsAt(source, path, eventSchema);
  if (ends === null) return null;
  const set = layerIn(source, path, 'set', eventSchema);
  return { ...timed, ways: waysOf(ends), member: part.member ?? null, set, delayFactor: part.delay_factor ?? 1 };
}

/** The changes of each direction, in the order of the file; one of both directions of a pair is in two lists. */
export function changesByWay(events: readonly (IsolationPart | ChangePart)[]): ReadonlyMap<string, ChangePart[]> {
  const byWay = new Map<string, ChangePart[]>();
  for (const event of events) {
    if ('isolate' in event) continue;
    for (const way of event.ways) {
      const own = byWay.get(way);
      if (own === undefined) byWay.set(way, [event]);
      else own.push(event);
    }
  }
  return byWay;
}
