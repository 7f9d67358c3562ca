/** The list of a PoP's documents: which ones a request asks for, and a page of them as JSON. */

import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { DocumentList } from '../protocol/document-list.ts';
import type { DocumentQuery, ListedDocument } from './store/store.ts';

const PARAMETERS = ['from', 'to', 'after'];

/**
 * Reads the query of a request: `from` and `to`, Unix seconds, between which a window must start, the end excluded; `after`,
 * the last sequence number that the asker has seen. All may be left out.
 *
 * @throws PopprobeError `malformed` for another parameter, or a value that is no whole number
 */
export function queryOf(pop: string, query: Record<string, unknown>): DocumentQuery {
  const stranger = Object.keys(query).find((name) => !PARAMETERS.includes(name));
  if (stranger !== undefined) throw malformed(`the parameters ${PARAMETERS.join(', ')}`, stranger.slice(0, 100));
  return {
    pop,
    fromS: wholeNumber('from', query['from'], 0),
    toS: wholeNumber('to', query['to'], Number.MAX_SAFE_INTEGER),
    after: wholeNumber('after', query['after'], 0),
    limit: LIMITS.listedDocumentsMax,
  };
}

/** A page: a full one may have a next. */
export function listOf(pop: string, documents: readonly ListedDocument[]): DocumentList {
  const isFull = documents.length === LIMITS.listedDocumentsMax;
  return {
    pop,
    documents: documents.map(({ sequence, digest, windowStartS, windowLengthS }) => ({
      sequence,
      digest,
      window_start_unix_s: windowStartS,
      window_length_s: windowLengthS,
    })),
    next_after: isFull ? (documents.at(-1)?.sequence ?? null) : null,
  };
}

/** A parameter that stands there twice comes as a list, and is no number. */
function wholeNumber(name: string, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise;
  const number = typeof value === 'string' && /^[0-9]{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  const found = typeof value === 'string' ? value.slice(0, 100) : 'several';
  throw malformed(`${name} as a whole number`, found);
}

function malformed(expected: string, found: string): PopprobeError {
  return new PopprobeError('malformed', { expected, found, remedy: 'ask as docs/protocol.md says' });
}
