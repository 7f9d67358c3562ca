/** Whom a link or an event of a scenario is about: entries that do not say so in one way, or say what another has said. */

import type { z } from 'zod';
import { endsAt } from './lab-parts.ts';
import { endsSchema, eventSchema, linkSchema } from './lab-schema.ts';
import type { ConfigProblem, Fault } from './problem.ts';
import { dotted, type Path, quote } from './quote.ts';
import { mayBeMisspelt } from './sound-part.ts';
import { itemsAt, mappingAt, placeOf, problemAt, type YamlSource } from './yaml-source.ts';

interface Entry {
  readonly path: Path;
  readonly schema: z.ZodObject;
}

export function endConflicts(source: YamlSource): ConfigProblem[] {
  const links = entriesOf(source, 'links', linkSchema);
  const entries = [...links, ...entriesOf(source, 'events', eventSchema)];
  return [
    ...entries.flatMap((entry) => unclearEnds(source, entry)),
    ...entries.flatMap((entry) => toItself(source, entry)),
    ...directionsTwice(source, links),
  ];
}

function entriesOf(source: YamlSource, list: string, schema: z.ZodObject): Entry[] {
  return itemsAt(source, [list]).map((_, index) => ({ path: [list, index], schema }));
}

const KEYS = ['isolate', ...Object.keys(endsSchema.shape)];

function unclearEnds(source: YamlSource, { path, schema }: Entry): ConfigProblem[] {
  const given = mappingAt(source, path);
  const keys = KEYS.filter((key) => key in schema.shape);
  if (given === null || keys.some((key) => mayBeMisspelt(schema, given, key))) return [];
  const has = keys.filter((key) => Object.hasOwn(given, key));
  if (has.join() === 'from') return [missing(source, [...path, 'to'], 'the name of a PoP', 'to')];
  if (has.join() === 'to') return [missing(source, [...path, 'from'], 'the name of a PoP', 'from')];
  if (has.length === 1 || has.join() === 'from,to') return [];
  const expected = keys.includes('isolate') ? 'isolate, between, or from and to' : 'between, or from and to';
  if (has.length === 0) return [missing(source, path, expected, 'between')];
  return conflict(source, [...path, has.at(-1) ?? ''], {
    expected,
    found: `${has.join(' and ')} together`,
    remedy: 'say it in one way',
  });
}

function missing(source: YamlSource, path: Path, expected: string, key: string): ConfigProblem {
  const remedy = `add the key ${quote(key)}`;
  return problemAt(source, path, { code: 'config_missing_key', expected, found: 'no such key', remedy });
}

function toItself(source: YamlSource, { path, schema }: Entry): ConfigProblem[] {
  const ends = endsAt(source, path, schema);
  if (ends === null || ends.names[0] !== ends.names[1]) return [];
  return conflict(source, ends.paths[1], {
    expected: 'another PoP than the first',
    found: `${quote(ends.names[1])} twice`,
    remedy: 'name two PoPs',
  });
}

/** Of two links of the same kind nobody could say which one is the more particular. */
function directionsTwice(source: YamlSource, links: readonly Entry[]): ConfigProblem[] {
  const seen = new Map<string, Path>();
  return links.flatMap(({ path, schema }) => {
    const ends = endsAt(source, path, schema);
    if (ends === null || ends.names[0] === ends.names[1]) return [];
    const isPair = ends.kind === 'between';
    const said = ends.names.join(isPair ? ' and ' : ' to ');
    const identity = isPair ? ends.names.toSorted().join(' and ') : said;
    const first = seen.get(identity);
    if (first === undefined) {
      seen.set(identity, path);
      return [];
    }
    return conflict(source, [...path, ends.kind], {
      expected: isPair ? 'a pair that no other link is between' : 'a direction that no other link is from and to',
      found: `${said}, which ${dotted(first)} has at ${placeOf(source, first)}`,
      remedy: 'make one link of the two',
    });
  });
}

function conflict(source: YamlSource, path: Path, parts: Omit<Fault, 'code'>): ConfigProblem[] {
  return [problemAt(source, path, { code: 'config_conflict', ...parts })];
}
