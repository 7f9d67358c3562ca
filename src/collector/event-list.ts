/** The list of events: which ones a request asks for, and a page of them as JSON. */

import { LIMITS } from '../base/limits.ts';
import type { RecordEvent } from '../protocol/record.ts';
import { recordSchema } from '../protocol/record-schema.ts';
import { malformedQuery, type RequestQuery, requireParameters, spanOf, textOf } from './query.ts';
import type { EventPlace, EventQuery, StoredEvent } from './store/store.ts';

const KINDS: readonly RecordEvent['kind'][] = recordSchema.shape.event.options.map(({ shape }) => shape.kind.value);

/** Before every event. */
const START: EventPlace = { atMs: 0, pop: '', sequence: 0 };

/** A page of events, by time, then by PoP and number. */
export interface EventList {
  events: { pop: string; sequence: number; at: string; event: RecordEvent }[];
  /** What `after` of the next page is; null on the last one. */
  next_after: string | null;
}

/**
 * Reads the query of a request: `pop`, `kind`; `from` and `to`, Unix seconds, between which the events happened, the end
 * excluded; `after`, what the page before named as `next_after`. All may be left out.
 *
 * @throws PopprobeError `malformed` for another parameter or value
 */
export function eventQueryOf(query: RequestQuery): EventQuery {
  requireParameters(query, ['pop', 'kind', 'from', 'to', 'after']);
  return {
    pop: textOf(query, 'pop'),
    kind: kindOf(textOf(query, 'kind')),
    ...spanOf(query),
    after: placeOf(textOf(query, 'after')),
    limit: LIMITS.listedEventsMax,
  };
}

/** A page: a full one may have a next. */
export function eventListOf(events: readonly StoredEvent[]): EventList {
  const last = events.length === LIMITS.listedEventsMax ? events.at(-1) : undefined;
  return {
    events: events.map(({ pop, sequence, atMs, event }) => ({ pop, sequence, at: isoTime(atMs), event })),
    next_after: last ? `${last.atMs}.${last.pop}.${last.sequence}` : null,
  };
}

function kindOf(text: string | null): RecordEvent['kind'] | null {
  if (text === null) return null;
  const kind = KINDS.find((known) => known === text);
  if (kind === undefined) throw malformedQuery(`kind as one of ${KINDS.join(', ')}`, text.slice(0, 100));
  return kind;
}

function placeOf(text: string | null): EventPlace {
  if (text === null) return START;
  const [, atMs, pop, sequence] = /^([0-9]{1,16})\.([a-z][a-z0-9-]{0,31})\.([0-9]{1,16})$/.exec(text) ?? [];
  if (atMs === undefined || pop === undefined || sequence === undefined) {
    throw malformedQuery('after as next_after of the page before', text.slice(0, 100));
  }
  return { atMs: Number(atMs), pop, sequence: Number(sequence) };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
