/** The list of a PoP's missing numbers: from where a request asks for them, and a page of them as JSON. */

import { LIMITS } from '../base/limits.ts';
import type { GapList } from '../protocol/gap-list.ts';
import { type RequestQuery, requireParameters, wholeNumberOf } from './query.ts';
import type { MissingDocuments } from './store/store.ts';

/** The number above which gaps are asked for. @throws PopprobeError `malformed` for another parameter or value */
export function gapsAfter(query: RequestQuery): number {
  requireParameters(query, ['after']);
  return wholeNumberOf(query, 'after', 0);
}

/** A page: a full one may have a next. */
export function gapListOf(pop: string, gaps: readonly MissingDocuments[]): GapList {
  const isFull = gaps.length === LIMITS.listedGapsMax;
  return {
    pop,
    gaps: gaps.map(({ from, to, declared }) => ({
      from_sequence: from,
      to_sequence: to,
      state: declared === null ? 'open' : 'declared',
      declared_by: declared?.by ?? null,
      reason: declared?.reason ?? null,
    })),
    next_after: isFull ? (gaps.at(-1)?.to ?? null) : null,
  };
}
