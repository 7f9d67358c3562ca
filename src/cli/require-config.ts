/** A daemon starts with a configuration or not at all: prints every problem and ends with status 1. */

import { formatProblem, type Loaded } from '../config/problem.ts';

export function requireConfig<T>(loaded: Loaded<T>): T {
  if (loaded.config !== null) return loaded.config;
  for (const problem of loaded.problems) process.stderr.write(`${formatProblem(problem)}\n`);
  return process.exit(1);
}
