/** What chance may do in a test: bounds with their origin, and a behaviour that leaves nothing to it. */

import { expect } from 'vitest';
import { UNDISTURBED } from '../../src/config/lab-behaviour.ts';
import type { LinkBehaviour } from '../../src/config/lab-scenario.ts';

/** Standard deviations allowed: a normal variable is further out once in 1.7 million tries. */
export const SIGMAS = 5;

/** A count of independent tries is binomial: its share has the standard deviation sqrt(p (1 - p) / n). */
export function expectShare(count: number, tries: number, probability: number): void {
  const deviation = Math.sqrt((probability * (1 - probability)) / tries);
  expect(Math.abs(count / tries - probability)).toBeLessThan(SIGMAS * deviation);
}

/** The mean of independent values has their standard deviation over sqrt(n). */
export function expectMean(values: readonly number[], mean: number, deviation: number): void {
  const found = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(Math.abs(found - mean)).toBeLessThan((SIGMAS * deviation) / Math.sqrt(values.length));
}

/** A line that only takes time, 10 ms when nothing else is said. */
export function behaviour(changes: Partial<LinkBehaviour> = {}): LinkBehaviour {
  return { ...UNDISTURBED, delayNs: 10_000_000, ...changes };
}
