/** Finds the name that somebody probably meant. */

import { distance } from 'fastest-levenshtein';

/** Share of the longer name that may differ before a suggestion would only puzzle. */
const DIFFERENT_MAX = 1 / 3;

/** The candidate with the fewest edits from `name`, or null when none is plausibly close. */
export function nearest(name: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let bestEdits = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const editsMax = Math.max(1, Math.floor(Math.max(name.length, candidate.length) * DIFFERENT_MAX));
    // The lengths alone tell most names apart, and keep a very long one from being compared.
    if (Math.abs(name.length - candidate.length) > editsMax) continue;
    const edits = distance(name, candidate);
    if (edits <= editsMax && edits < bestEdits) [best, bestEdits] = [candidate, edits];
  }
  return best;
}
