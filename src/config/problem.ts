/** What is wrong with a configuration, and where: the form in which every mistake is reported. */

import type { ErrorCode } from '../base/errors.ts';

export interface ConfigProblem {
  code: ErrorCode;
  /** The file as the reader named it, or as another file leads to it. */
  file: string;
  /** One-based, like those of an editor. */
  line: number;
  column: number;
  /** Dotted path of the value within the file: `pops[1].id`. */
  where: string;
  expected: string;
  found: string;
  remedy: string;
}

/** A problem before its place is known. */
export type Fault = Pick<ConfigProblem, 'code' | 'expected' | 'found' | 'remedy'>;

/** Either a configuration or everything that is wrong with it, never both. */
export type Loaded<T> = { config: T; problems: readonly [] } | { config: null; problems: readonly ConfigProblem[] };

/** One line for a person; editors and terminals make the beginning clickable. */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, where, expected, found, remedy, code } = problem;
  return `${file}:${line}:${column}: ${where}: expected ${expected}; found ${found}; ${remedy} [${code}]`;
}

/** Problems of one file in the order in which a reader meets them. */
export function inReadingOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
