/** Where a collector.yaml lists keys, and periods of them that no instant is in. */

import type { ConfigProblem } from './problem.ts';
import { dotted, type Path, quote } from './quote.ts';
import { instant } from './schema-parts.ts';
import { itemsAt, placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

/** The place of every key, whatever else is wrong with the file. */
export function keyPaths(source: YamlSource): Path[] {
  return itemsAt(source, ['pops']).flatMap((_, pop) =>
    itemsAt(source, ['pops', pop, 'keys']).map((__, key) => ['pops', pop, 'keys', key]),
  );
}

/** A key that ends before it begins would have all of its documents refused. */
export function keyPeriodConflicts(source: YamlSource): ConfigProblem[] {
  return keyPaths(source).flatMap((key) => {
    const [from, until] = [
      [...key, 'from'],
      [...key, 'until'],
    ].map((path) => valueAt(source, path));
    if (!isInstant(from) || !isInstant(until) || Date.parse(from) < Date.parse(until)) return [];
    const begin = [...key, 'from'];
    const expected = `an instant after ${quote(from)}, which ${dotted(begin)} has at ${placeOf(source, begin)}`;
    const fault = { code: 'config_conflict', expected, found: quote(until), remedy: 'correct one of the two' } as const;
    return [problemAt(source, [...key, 'until'], fault)];
  });
}

function isInstant(value: unknown): value is string {
  return instant.safeParse(value).success;
}
