/** Finds values that must be unique in a list and are not. */

import type { ConfigProblem } from './problem.ts';
import { dotted, type Path, quote } from './quote.ts';
import { itemsAt, placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

/** A value's place and what it counts as when compared; names that say the same thing twice share an identity. */
export interface Entry {
  path: Path;
  identity: string | number;
}

/** `key` of every item of the list at `list`, where it is a string or number; works on files with other mistakes too. */
export function entriesOf(source: YamlSource, list: Path, key: string): Entry[] {
  return itemsAt(source, list).flatMap((_, index) => {
    const path = [...list, index, key];
    const identity = valueAt(source, path);
    return typeof identity === 'string' || typeof identity === 'number' ? [{ path, identity }] : [];
  });
}

/** One problem per repetition, at the second place, naming the first. `what` is what must be unique. */
export function duplicates(source: YamlSource, entries: readonly Entry[], what: string): ConfigProblem[] {
  const seen = new Map<string | number, Path>();
  return entries.flatMap(({ path, identity }) => {
    const first = seen.get(identity);
    if (first === undefined) {
      seen.set(identity, path);
      return [];
    }
    const found = `${quote(valueAt(source, path))}, which ${dotted(first)} has at ${placeOf(source, first)}`;
    const fault = { code: 'config_conflict', expected: what, found, remedy: 'change one of the two' } as const;
    return [problemAt(source, path, fault)];
  });
}
