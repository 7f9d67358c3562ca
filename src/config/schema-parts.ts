/** The kinds of values a configuration has; each schema's message says what it expects. */

import { z } from 'zod';
import { nameSchema } from '../protocol/name-schema.ts';

const NAME = 'a name of lower-case letters, digits and hyphens that starts with a letter, at most 32 long';

export const configName = z.string(NAME).refine((name) => nameSchema.safeParse(name).success, NAME);

/** A whole number in a range; `what` names it and its unit. */
export function wholeNumber(min: number, max: number, what = 'a whole number'): z.ZodNumber {
  const expected = `${what} from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
}

const FILE_PATH = 'a path of 1 to 4096 characters on one line';

/** A path as it stands in the file; `besideFile` resolves it. */
export const filePath = z.string(FILE_PATH).regex(/^\P{Cc}{1,4096}$/u, FILE_PATH);

const INSTANT = 'an instant in RFC 3339 with its offset, as 2026-02-01T00:00:00Z';

/** An instant as it stands in the file; `Date.parse` reads it. */
export const instant = z.iso.datetime({ offset: true, error: INSTANT });

/** One of a few words. */
export function choice<const W extends string>(words: readonly [W, ...W[]]): z.ZodEnum<{ [K in W]: K }> {
  return z.enum(words, words.length === 2 ? words.join(' or ') : `one of ${words.join(', ')}`);
}

export const logLevel = choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info');

/** The `schema:` line that begins every file. */
export function schemaLine<const S extends string>(name: S): z.ZodLiteral<S> {
  return z.literal(name, `"${name}"`);
}

export const dscp = wholeNumber(0, 63, 'a DSCP').default(0);
