/** Reads the error that an agent or a collector has answered. */

import { ERROR_CODES, PopprobeError } from '../base/errors.ts';
import { printable } from '../config/quote.ts';

/** Of each part of the error: ours are shorter, a stranger's must not fill the screen. */
const PART_CHARACTERS_MAX = 1000;

/** The error as it was thrown over there, fit for a terminal; null when the answer is not one of ours. */
export function refusalOf(answer: unknown): PopprobeError | null {
  const { error } = (answer ?? {}) as { error?: unknown };
  const { code, expected, found, remedy } = (error ?? {}) as Partial<Record<string, unknown>>;
  const known = ERROR_CODES.find((each) => each === code);
  if (!known || typeof expected !== 'string' || typeof found !== 'string' || typeof remedy !== 'string') return null;
  return new PopprobeError(known, { expected: shown(expected), found: shown(found), remedy: shown(remedy) });
}

function shown(part: string): string {
  return printable(part.slice(0, PART_CHARACTERS_MAX));
}
