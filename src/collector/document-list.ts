/** The list of a PoP's documents: which ones a request asks for, and a page of them as JSON. */

import { LIMITS } from '../base/limits.ts';
import { MS_PER_S } from '../base/units.ts';
import type { DocumentList } from '../protocol/document-list.ts';
import { type RequestQuery, requireParameters, spanOf, wholeNumberOf } from './query.ts';
import type { DocumentQuery, ListedDocument } from './store/store.ts';

/**
 * Reads the query of a request: `from` and `to`, Unix seconds, between which a window must start or a record be, the end
 * excluded; `after`, the last sequence number that the asker has seen. All may be left out.
 *
 * @throws PopprobeError `malformed` for another parameter, or a value that is no whole number
 */
export function documentQueryOf(pop: string, query: RequestQuery): DocumentQuery {
  requireParameters(query, ['from', 'to', 'after']);
  return { pop, ...spanOf(query), after: wholeNumberOf(query, 'after', 0), limit: LIMITS.listedDocumentsMax };
}

/** A page: a full one may have a next. */
export function documentListOf(pop: string, documents: readonly ListedDocument[]): DocumentList {
  const isFull = documents.length === LIMITS.listedDocumentsMax;
  const nextAfter = isFull ? (documents.at(-1)?.sequence ?? null) : null;
  return { pop, documents: documents.map(listedDocument), next_after: nextAfter };
}

function listedDocument({ sequence, digest, atMs, lengthS }: ListedDocument): DocumentList['documents'][number] {
  if (lengthS === null) return { sequence, digest, kind: 'record', at_unix_ms: atMs };
  return { sequence, digest, kind: 'summary', window_start_unix_s: atMs / MS_PER_S, window_length_s: lengthS };
}
