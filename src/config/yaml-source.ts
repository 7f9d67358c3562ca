/** A YAML file as values that know their line and column. */

import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { ConfigProblem, Fault } from './problem.ts';
import { dotted, type Path } from './quote.ts';

export interface YamlSource {
  readonly file: string;
  /** Exactly what was read. */
  readonly octets: Uint8Array;
  /** The whole file as plain values, not yet checked. */
  readonly value: unknown;
  readonly document: Document;
  readonly lines: LineCounter;
}

/** Gives a fault the place of the value at `path`, of its key, or of what encloses it where there is no such value. */
export function problemAt(source: YamlSource, path: Path, fault: Fault, at: 'value' | 'key' = 'value'): ConfigProblem {
  const { line, col } = source.lines.linePos(offsetOf(source.document, path, at));
  return { file: source.file, line, column: col, where: dotted(path), ...fault };
}

/** `file:line` of a value, for messages that name a second place. */
export function placeOf(source: YamlSource, path: Path): string {
  return `${source.file}:${source.lines.linePos(offsetOf(source.document, path, 'value')).line}`;
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

function offsetOf(document: Document, path: Path, at: 'value' | 'key'): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    const child = childOf(document, node, step);
    if (child === null) break;
    const target: Node | null = at === 'key' && depth === path.length - 1 ? child.key : (child.value ?? child.key);
    offset = target?.range?.[0] ?? offset;
    node = child.value;
  }
  return offset;
}

function childOf(
  document: Document,
  parent: Node | null,
  step: string | number,
): { key: Node | null; value: Node | null } | null {
  const collection = isAlias(parent) ? parent.resolve(document) : parent;
  if (isMap<Node, Node | null>(collection)) {
    return collection.items.find(({ key }) => isScalar(key) && String(key.value) === step) ?? null;
  }
  const item = isSeq<Node>(collection) && typeof step === 'number' ? collection.items[step] : undefined;
  return item === undefined ? null : { key: null, value: item };
}
