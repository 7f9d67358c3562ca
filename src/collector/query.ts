/** Reads the query of a request strictly: what nobody knows is refused and not ignored. */

import { PopprobeError } from '../base/errors.ts';
import type { TimeSpan } from './store/store.ts';

/** As the framework hands it over: a text each, or a list where a parameter stands there several times. */
export type RequestQuery = Readonly<Record<string, unknown>>;

/** @throws PopprobeError `malformed` when there is another parameter than these */
export function requireParameters(query: RequestQuery, names: readonly string[]): void {
  const stranger = Object.keys(query).find((name) => !names.includes(name));
  if (stranger !== undefined) throw malformedQuery(`the parameters ${names.join(', ')}`, stranger.slice(0, 100));
}

/**
 * The text of a parameter, or null when it is left out.
 *
 * @throws PopprobeError `malformed` when it stands there twice
 */
export function textOf(query: RequestQuery, name: string): string | null {
  const value = query[name];
  if (value === undefined) return null;
  if (typeof value === 'string') return value;
  throw malformedQuery(`${name} once`, 'several');
}

/** @throws PopprobeError `malformed` when the parameter is no whole number */
export function wholeNumberOf(query: RequestQuery, name: string, otherwise: number): number {
  const text = textOf(query, name);
  if (text === null) return otherwise;
  const number = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw malformedQuery(`${name} as a whole number`, text.slice(0, 100));
}

/** `from` and `to`, Unix seconds, the end excluded; each may be left out. @throws PopprobeError `malformed` */
export function spanOf(query: RequestQuery): TimeSpan {
  return { fromS: wholeNumberOf(query, 'from', 0), toS: wholeNumberOf(query, 'to', Number.MAX_SAFE_INTEGER) };
}

export function malformedQuery(expected: string, found: string): PopprobeError {
  return new PopprobeError('malformed', { expected, found, remedy: 'ask as docs/protocol.md says' });
}
