/** Octets to YAML values, or to everything that keeps them from being YAML. */

import {
  type Alias,
  type Document,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml';
import { LIMITS } from '../base/limits.ts';
import { type ConfigProblem, inReadingOrder } from './problem.ts';
import { cleanMessage, dotted, quote } from './quote.ts';
import { tooDeepAt } from './yaml-nesting.ts';
import type { KeyedNode, PairIndex, YamlSource } from './yaml-source.ts';

export type Parsed = { source: YamlSource; problems: readonly [] } | { source: null; problems: ConfigProblem[] };

interface SyntaxFault {
  offset: number;
  expected: string;
  found: string;
  remedy: string;
}

/** Reads one document of YAML 1.2 core in UTF-8; every key is a string and stands once in its mapping. */
export function parseYaml(file: string, octets: Uint8Array): Parsed {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const refused = (faults: SyntaxFault[]): Parsed => ({ source: null, problems: problemsOf(file, lines, faults) });

  const text = textOf(octets);
  if (text === null) return refused([NOT_UTF8]);
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) lines.addNewLine(end + 1);
  const deepAt = tooDeepAt(text);
  if (deepAt !== null) return refused([{ offset: deepAt, ...TOO_DEEP }]);

  // Duplicate keys are looked for below: the package's own search takes quadratic time.
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, uniqueKeys: false });
  const flaws = [...document.errors, ...document.warnings].slice(0, LIMITS.configProblemsMax);
  if (flaws.length > 0) return refused(flaws.map(({ pos, message }) => notYaml(pos[0], message)));
  const { pairs, faults } = structureOf(document, lines);
  if (faults.length > 0) return refused(faults);
  try {
    const value: unknown = document.toJS({ maxAliasCount: LIMITS.configAliasesMax });
    return { source: { file, octets, value, document, lines, pairs }, problems: [] };
  } catch {
    // The document is sound: what is left to fail is the count of alias expansions.
    return refused([{ offset: 0, ...TOO_MANY_ALIASES }]);
  }
}

const NOT_UTF8 = {
  offset: 0,
  expected: 'text in UTF-8',
  found: 'octets that are not',
  remedy: 'save the file as UTF-8',
};
const TOO_DEEP = {
  expected: `at most ${LIMITS.configNestingMax} levels of nesting`,
  found: 'more',
  remedy: 'write it with less indentation and fewer brackets',
};
const TOO_MANY_ALIASES = {
  expected: `at most ${LIMITS.configAliasesMax} expansions of YAML aliases`,
  found: 'more',
  remedy: 'write the values out',
};

function notYaml(offset: number, message: string): SyntaxFault {
  return { offset, expected: 'YAML 1.2', found: `a mistake: ${cleanMessage(message)}`, remedy: 'correct it here' };
}

function textOf(octets: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch {
    return null;
  }
}

/** The entries of every mapping by key, and what breaks them: keys that stand twice, and aliases that lead nowhere. */
function structureOf(document: Document.Parsed, lines: LineCounter): { pairs: PairIndex; faults: SyntaxFault[] } {
  const pairs = new Map<YAMLMap, Map<string, KeyedNode>>();
  const faults: SyntaxFault[] = [];
  let aliases = 0;
  visit(document, {
    Map: (_, map) => {
      const byKey = new Map<string, KeyedNode>();
      pairs.set(map, byKey);
      for (const pair of (map as YAMLMap<Scalar, Node | null>).items) {
        const name = String(pair.key.value);
        const first = byKey.get(name);
        if (first === undefined) byKey.set(name, pair);
        else faults.push(keyTwice(name, offsetOf(pair.key), lines.linePos(offsetOf(first.key)).line));
      }
    },
    Alias: (_, alias) => {
      aliases++;
      if (aliases > LIMITS.configAliasesMax) {
        faults.push({ offset: offsetOf(alias), ...TOO_MANY_ALIASES });
        return visit.BREAK;
      }
      if (alias.resolve(document) === undefined) faults.push(noSuchAnchor(alias));
      return undefined;
    },
  });
  return { pairs, faults };
}

function keyTwice(name: string, offset: number, firstLine: number): SyntaxFault {
  const found = `${quote(name)} a second time, first in line ${firstLine}`;
  return { offset, expected: 'every key once', found, remedy: 'remove one of the two' };
}

function noSuchAnchor(alias: Alias): SyntaxFault {
  const found = `an alias of ${quote(alias.source)}, which no anchor above it defines`;
  return { offset: offsetOf(alias), expected: 'the alias of an anchor', found, remedy: 'write the value out' };
}

function offsetOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

function problemsOf(file: string, lines: LineCounter, faults: readonly SyntaxFault[]): ConfigProblem[] {
  const problems = faults.slice(0, LIMITS.configProblemsMax).map(({ offset, expected, found, remedy }) => {
    const { line, col } = lines.linePos(offset);
    const code = 'config_syntax' as const;
    return { code, file, line, column: col, where: dotted([]), expected, found, remedy };
  });
  return inReadingOrder(problems);
}
