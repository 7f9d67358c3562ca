/** Octets to YAML values, or to everything that keeps them from being YAML. */

import { LineCounter, parseDocument } from 'yaml';
import { LIMITS } from '../base/limits.ts';
import { type ConfigProblem, inReadingOrder } from './problem.ts';
import { cleanMessage, dotted } from './quote.ts';
import { tooDeepAt } from './yaml-nesting.ts';
import type { YamlSource } from './yaml-source.ts';
import { valuesOf, type YamlFault } from './yaml-values.ts';

/**
 * `source` is null when the text is not YAML: what the parser makes of the rest of such a file is a guess. Faults of
 * structure leave a source whose other values are what they seem; such a file must not be used, but can be checked.
 */
export interface Parsed {
  readonly source: YamlSource | null;
  readonly problems: readonly ConfigProblem[];
}

/** Reads one document of YAML 1.2 core in UTF-8; every key is a string and stands once in its mapping. */
export function parseYaml(file: string, octets: Uint8Array): Parsed {
  const lines = new LineCounter();
  lines.addNewLine(0);
  const refused = (faults: readonly YamlFault[]): Parsed => ({
    source: null,
    problems: problemsOf(file, lines, withWhatIsHidden(faults)),
  });

  const text = textOf(octets);
  if (text === null) return refused([NOT_UTF8]);
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) lines.addNewLine(end + 1);
  const deepAt = tooDeepAt(text);
  if (deepAt !== null) return refused([{ offset: deepAt, ...TOO_DEEP }]);

  // Duplicate keys are found with the values: the package's own search takes quadratic time. So are unknown tags.
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, uniqueKeys: false });
  const warnings = document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED');
  const flaws = [...document.errors, ...warnings];
  if (flaws.length > 0) return refused(flaws.map(({ pos, message }) => notYaml(pos[0], message)));
  const { value, faults, pairs, targets } = valuesOf(document.contents, (offset) => lines.linePos(offset).line);
  const source = { file, octets, value, root: document.contents, lines, pairs, targets };
  return { source, problems: problemsOf(file, lines, faults) };
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

function notYaml(offset: number, message: string): YamlFault {
  return { offset, expected: 'YAML 1.2', found: `a mistake: ${cleanMessage(message)}`, remedy: 'correct it here' };
}

function textOf(octets: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch {
    return null;
  }
}

/** A file that is no YAML has its first mistakes shown; the last of these says that there may be others. */
function withWhatIsHidden(faults: readonly YamlFault[]): YamlFault[] {
  const shown = faults.toSorted((a, b) => a.offset - b.offset).slice(0, LIMITS.configProblemsMax);
  const unshown = faults.length - shown.length;
  const hidden =
    unshown > 0 ? `${unshown} more such mistakes, and what else is wrong, show` : 'what else is wrong shows';
  return shown.map((fault, index) =>
    index < shown.length - 1 ? fault : { ...fault, remedy: `${fault.remedy}; ${hidden} once the file is YAML` },
  );
}

function problemsOf(file: string, lines: LineCounter, faults: readonly YamlFault[]): ConfigProblem[] {
  const problems = faults.map(({ offset, expected, found, remedy }) => {
    const { line, col } = lines.linePos(offset);
    const code = 'config_syntax' as const;
    return { code, file, line, column: col, where: dotted([]), expected, found, remedy };
  });
  return inReadingOrder(problems);
}
