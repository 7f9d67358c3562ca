/** Names in a scenario that no PoP has, or that no PoP may have. */

import { type Ends, endsAt, labNames, type LabPopPart } from './lab-parts.ts';
import { eventSchema, LAB_COLLECTOR, linkSchema, nearSchema } from './lab-schema.ts';
import { nearest } from './nearest.ts';
import type { ConfigProblem, Fault } from './problem.ts';
import { type Path, quote } from './quote.ts';
import { soundPart } from './sound-part.ts';
import { itemsAt, placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

/** Where one of them is open, no other name is called unknown: it may be that one. */
export function nameConflicts(source: YamlSource, pops: readonly LabPopPart[] | null): ConfigProblem[] {
  const names = labNames(pops);
  return [...reservedNames(source, pops ?? []), ...(names === null ? [] : unknownNames(source, names))];
}

function reservedNames(source: YamlSource, pops: readonly LabPopPart[]): ConfigProblem[] {
  return pops.flatMap(({ index, name }) => {
    if (name !== LAB_COLLECTOR) return [];
    return conflict(source, ['pops', index, 'name'], {
      expected: `another name than ${quote(LAB_COLLECTOR)}, which the host of the collector has`,
      found: quote(name),
      remedy: 'choose another name',
    });
  });
}

interface Mention {
  readonly path: Path;
  readonly name: string;
}

function unknownNames(source: YamlSource, names: readonly string[]): ConfigProblem[] {
  const near = soundPart(nearSchema, valueAt(source, ['collector']), ['near'])?.near;
  const pops = [
    ...(near === undefined ? [] : [{ path: ['collector', 'near'], name: near }]),
    ...itemsAt(source, ['links']).flatMap((_, index) => mentions(endsAt(source, ['links', index], linkSchema))),
    ...itemsAt(source, ['events']).flatMap((_, index) => mentions(endsAt(source, ['events', index], eventSchema))),
  ];
  const hosts = itemsAt(source, ['events']).flatMap((event, index) => {
    const name = soundPart(eventSchema, event, ['isolate'])?.isolate;
    return name === undefined ? [] : [{ path: ['events', index, 'isolate'], name }];
  });
  return [
    ...pops.flatMap((mention) => unknownName(source, mention, names)),
    ...hosts.flatMap((mention) => unknownName(source, mention, names, [LAB_COLLECTOR])),
  ];
}

function mentions(ends: Ends | null): Mention[] {
  if (ends === null) return [];
  const { names, paths } = ends;
  return [
    { path: paths[0], name: names[0] },
    { path: paths[1], name: names[1] },
  ];
}

/** @param others hosts that can be meant beside the PoPs */
function unknownName(
  source: YamlSource,
  { path, name }: Mention,
  names: readonly string[],
  others: readonly string[] = [],
): ConfigProblem[] {
  const known = [...names, ...others];
  if (known.includes(name)) return [];
  const meant = nearest(name, known);
  const otherwise =
    name === LAB_COLLECTOR
      ? 'name a PoP; the ways to the collector follow from the key "collector", and an event can isolate it'
      : 'correct the name, or add the PoP';
  return conflict(source, path, {
    expected: `the name of a PoP (${placeOf(source, ['pops'])})${others.map((other) => ` or ${quote(other)}`).join('')}`,
    found: quote(name),
    remedy: meant === null ? otherwise : `did you mean ${quote(meant)}?`,
  });
}

function conflict(source: YamlSource, path: Path, parts: Omit<Fault, 'code'>): ConfigProblem[] {
  return [problemAt(source, path, { code: 'config_conflict', ...parts })];
}
