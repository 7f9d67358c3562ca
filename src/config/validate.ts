/** Holds a YAML file against its schema and puts every violation into words. */

import { z } from 'zod';
import { nearest } from './nearest.ts';
import type { ConfigProblem } from './problem.ts';
import { type Path, quote } from './quote.ts';
import { problemAt, valueAt, type YamlSource } from './yaml-source.ts';
import { UNKNOWN } from './yaml-values.ts';

export type Validated<T> = { value: T; problems: readonly [] } | { value: null; problems: ConfigProblem[] };

/**
 * Checks the whole file. The schemas carry what they expect as their messages (schema-parts.ts). A value that nobody
 * knows, because its place in the file is at fault, is no second mistake.
 */
export function validate<T>(source: YamlSource, schema: z.ZodType<T>): Validated<T> {
  return validateAt(source, [], schema);
}

/** As `validate`, for the value at a path. */
export function validateAt<T>(source: YamlSource, at: Path, schema: z.ZodType<T>): Validated<T> {
  const result = schema.safeParse(valueAt(source, at), { error: expectation });
  if (result.success) return { value: result.data, problems: [] };
  const issues = withoutRepeats(result.error.issues);
  return { value: null, problems: issues.flatMap((issue) => explain(source, at, issue)) };
}

/** What zod's objects and lists expect; for unknown keys, the keys that the object knows, separated by spaces. */
function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys') {
    return issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape).join(' ') : undefined;
  }
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.expected === 'object') return 'a mapping of keys to values';
  return issue.expected === 'array' ? 'a list' : undefined;
}

/** A value that breaks several bounds of one schema is still one mistake. */
function withoutRepeats(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const seen = new Set<string>();
  return issues.filter(({ code, path, message }) => {
    const key = JSON.stringify([code === 'unrecognized_keys', path, message]);
    const repeated = seen.has(key);
    seen.add(key);
    return !repeated;
  });
}

function explain(source: YamlSource, at: Path, issue: z.core.$ZodIssue): ConfigProblem[] {
  const path = [...at, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(source, [...path, key], key, issue.message.split(' ')));
  }
  const found = valueAt(source, path);
  if (found === UNKNOWN) return [];
  return [found === undefined ? missingKey(source, path, issue.message) : badValue(source, path, issue, found)];
}

function unknownKey(source: YamlSource, path: Path, key: string, known: readonly string[]): ConfigProblem {
  const meant = nearest(key, known);
  const fault = {
    code: 'config_unknown_key',
    expected: `one of the keys ${known.join(', ')}`,
    found: quote(key),
    remedy: meant === null ? 'remove it' : `did you mean ${quote(meant)}?`,
  } as const;
  return problemAt(source, path, fault, 'key');
}

function missingKey(source: YamlSource, path: Path, expected: string): ConfigProblem {
  const remedy = `add the key ${quote(path.at(-1))}`;
  return problemAt(source, path, { code: 'config_missing_key', expected, found: 'no such key', remedy });
}

function badValue(source: YamlSource, path: Path, issue: z.core.$ZodIssue, found: unknown): ConfigProblem {
  const choices = choicesOf(issue).filter((choice) => typeof choice === 'string');
  const meant = typeof found === 'string' ? nearest(found, choices) : null;
  const remedy = meant === null ? 'correct the value' : `did you mean ${quote(meant)}?`;
  return problemAt(source, path, {
    code: 'config_invalid_value',
    expected: issue.message,
    found: quote(found),
    remedy,
  });
}

function choicesOf(issue: z.core.$ZodIssue): readonly unknown[] {
  if (issue.code === 'invalid_value') return issue.values;
  return issue.code === 'invalid_union' && issue.errors.length === 0 && 'options' in issue ? (issue.options ?? []) : [];
}
