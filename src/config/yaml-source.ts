/** A YAML file as values that know their line and column. */

import { type Alias, isAlias, isMap, isSeq, type LineCounter, type Node, type YAMLMap } from 'yaml';
import type { ConfigProblem, Fault } from './problem.ts';
import { dotted, type Path } from './quote.ts';

export interface YamlSource {
  readonly file: string;
  /** Exactly what was read. */
  readonly octets: Uint8Array;
  /** The whole file as plain values, not yet checked; `UNKNOWN` stands where a fault of structure leaves none. */
  readonly value: unknown;
  readonly root: Node | null;
  readonly lines: LineCounter;
  readonly pairs: PairIndex;
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>;
}

/** Key and value of one entry of a mapping. */
export interface KeyedNode {
  readonly key: Node | null;
  readonly value: Node | null;
}

/** The entries of every mapping by key: a file with very many keys must not be searched for each of its problems. */
export type PairIndex = ReadonlyMap<YAMLMap, ReadonlyMap<string, KeyedNode>>;

/** Gives a fault the place of the value at `path`, of its key, or of what encloses it where there is no such value. */
export function problemAt(source: YamlSource, path: Path, fault: Fault, at: 'value' | 'key' = 'value'): ConfigProblem {
  const { line, col } = source.lines.linePos(offsetOf(source, path, at));
  return { file: source.file, line, column: col, where: dotted(path), ...fault };
}

/** `file:line` of a value, for messages that name a second place. */
export function placeOf(source: YamlSource, path: Path): string {
  return `${source.file}:${source.lines.linePos(offsetOf(source, path, 'value')).line}`;
}

/** The value at `path` as it stands in the file, unchecked; undefined where there is none. */
export function valueAt(source: YamlSource, path: Path): unknown {
  let value = source.value;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** The items of the list at `path`; none where there is no list. */
export function itemsAt(source: YamlSource, path: Path): readonly unknown[] {
  const value = valueAt(source, path);
  return Array.isArray(value) ? value : [];
}

/** The mapping at `path`, whatever its keys are; null where there is none. */
export function mappingAt(source: YamlSource, path: Path): Record<string, unknown> | null {
  const value = valueAt(source, path);
  const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMapping ? (value as Record<string, unknown>) : null;
}

function offsetOf(source: YamlSource, path: Path, at: 'value' | 'key'): number {
  let node: Node | null = source.root;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    const child = childOf(source, node, step);
    if (child === null) break;
    const target: Node | null = at === 'key' && depth === path.length - 1 ? child.key : (child.value ?? child.key);
    offset = target?.range?.[0] ?? offset;
    node = child.value;
  }
  return offset;
}

function childOf(source: YamlSource, parent: Node | null, step: string | number): KeyedNode | null {
  const collection = isAlias(parent) ? source.targets.get(parent) : parent;
  if (isMap(collection)) return source.pairs.get(collection)?.get(String(step)) ?? null;
  const item = isSeq<Node>(collection) && typeof step === 'number' ? collection.items[step] : undefined;
  return item === undefined ? null : { key: null, value: item };
}
