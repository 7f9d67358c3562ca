/** The plain values of a parsed YAML document, and the faults of structure that leave some of them unknown. */

import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from 'yaml';
import { LIMITS } from '../base/limits.ts';
import { quote } from './quote.ts';
import type { KeyedNode, PairIndex } from './yaml-source.ts';

/** Stands where nobody can say what the value is: it has been reported, and is no reason for another report. */
export const UNKNOWN = Symbol('unknown');

/** A fault before its line is known. */
export interface YamlFault {
  offset: number;
  expected: string;
  found: string;
  remedy: string;
}

export interface YamlValues {
  readonly value: unknown;
  readonly faults: readonly YamlFault[];
  /** The entries of every mapping by key; of a key that stands twice, the first. */
  readonly pairs: PairIndex;
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>;
}

/** A node with an anchor; `value` is undefined while it is being read. */
interface Anchored {
  node: Node;
  value: unknown;
  /** How many aliases were followed to write this value out. */
  expansions: number;
}

/** `lineOf` says in which line an offset lies. Values are shared by their aliases, so that expanding costs no memory. */
export function valuesOf(root: Node | null, lineOf: (offset: number) => number): YamlValues {
  const reader = new Reader(lineOf);
  return { value: reader.read(root), faults: reader.faults, pairs: reader.pairs, targets: reader.targets };
}

class Reader {
  readonly faults: YamlFault[] = [];
  readonly pairs = new Map<YAMLMap, Map<string, KeyedNode>>();
  readonly targets = new Map<Alias, Node>();
  readonly #anchors = new Map<string, Anchored>();
  readonly #lineOf: (offset: number) => number;
  #expansions = 0;
  #tooMany = false;

  constructor(lineOf: (offset: number) => number) {
    this.#lineOf = lineOf;
  }

  /** Reads in the order of the file, because an alias means the nearest anchor of its name above it. */
  read(node: Node | null): unknown {
    if (node === null) return null;
    if (isAlias(node)) return this.#follow(node);
    const anchored: Anchored = { node, value: undefined, expansions: 0 };
    if ('anchor' in node && node.anchor !== undefined) this.#anchors.set(node.anchor, anchored);
    const before = this.#expansions;
    const value = this.#contentOf(node);
    anchored.value = this.#hasForeignTag(node) ? UNKNOWN : value;
    anchored.expansions = this.#expansions - before;
    return anchored.value;
  }

  #contentOf(node: Node): unknown {
    if (isMap(node)) return this.#mapping(node as YAMLMap<Scalar, Node | null>);
    if (isSeq<Node>(node)) return node.items.map((item) => this.read(item));
    return isScalar(node) ? node.value : UNKNOWN;
  }

  /** What stands under a repeated key is read, since it may define anchors, and left out. */
  #mapping(map: YAMLMap<Scalar, Node | null>): object {
    const byKey = new Map<string, KeyedNode>();
    this.pairs.set(map, byKey);
    const entries = map.items.flatMap((pair) => {
      const name = String(this.read(pair.key));
      const value = this.read(pair.value);
      const first = byKey.get(name);
      if (first === undefined) {
        byKey.set(name, pair);
        return [[name, value] as const];
      }
      this.faults.push(keyTwice(name, offsetOf(pair.key), this.#lineOf(offsetOf(first.key))));
      return [];
    });
    return Object.fromEntries(entries);
  }

  #follow(alias: Alias): unknown {
    const anchored = this.#anchors.get(alias.source);
    if (anchored === undefined || anchored.value === undefined) {
      this.faults.push(noSuchAnchor(alias, anchored !== undefined));
      return UNKNOWN;
    }
    this.targets.set(alias, anchored.node);
    this.#expansions += 1 + anchored.expansions;
    if (this.#expansions <= LIMITS.configAliasesMax) return anchored.value;
    if (!this.#tooMany) this.faults.push({ offset: offsetOf(alias), ...TOO_MANY_ALIASES });
    this.#tooMany = true;
    return UNKNOWN;
  }

  #hasForeignTag(node: Node): boolean {
    if (!('tag' in node) || node.tag === undefined || CORE_TAGS.has(node.tag)) return false;
    this.faults.push(foreignTag(node.tag, offsetOf(node)));
    return true;
  }
}

/** The tags of YAML 1.2's core schema, and `!`, which asks for a string. */
const CORE_TAGS = new Set([
  '!',
  ...['map', 'seq', 'str', 'null', 'bool', 'int', 'float'].map((type) => `tag:yaml.org,2002:${type}`),
]);

const TOO_MANY_ALIASES = {
  expected: `at most ${LIMITS.configAliasesMax} expansions of YAML aliases`,
  found: 'more',
  remedy: 'write the values out',
};

function keyTwice(name: string, offset: number, firstLine: number): YamlFault {
  const found = `${quote(name)} a second time, first in line ${firstLine}`;
  return { offset, expected: 'every key once', found, remedy: 'remove one of the two' };
}

function noSuchAnchor(alias: Alias, inside: boolean): YamlFault {
  const why = inside ? 'inside the very value it stands for' : 'which no anchor above it defines';
  const found = `an alias of ${quote(alias.source)}, ${why}`;
  return { offset: offsetOf(alias), expected: 'the alias of an anchor', found, remedy: 'write the value out' };
}

function foreignTag(tag: string, offset: number): YamlFault {
  return { offset, expected: 'a value without a tag of its own', found: quote(tag), remedy: 'remove the tag' };
}

function offsetOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}
