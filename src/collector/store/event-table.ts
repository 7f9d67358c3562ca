/** The events of all PoPs: written from their records, read by time. */

import type { Database, Statement } from 'better-sqlite3';
import { MS_PER_S } from '../../base/units.ts';
import type { ChainRecord, RecordEvent } from '../../protocol/record.ts';
import type { EventQuery, StoredEvent } from './store.ts';

const INSERT = `
  INSERT INTO event_row (pop, sequence, kind, at_ms, peer, family, state, event)
  VALUES (:pop, :sequence, :kind, :at_ms, :peer, :family, :state, :event)`;

const DECLARE = `
  INSERT INTO declared_row (pop, to_sequence, from_sequence, by_sequence, reason)
  VALUES (:pop, :to, :from, :by, :reason)`;

/** Each has an index of its own, in the order that is asked for. */
const FILTERS = {
  all: '',
  kind: 'kind = :kind AND',
  pop: 'pop = :pop AND',
  both: 'pop = :pop AND kind = :kind AND',
} as const;

interface EventParameters {
  pop: string | null;
  kind: string | null;
  fromMs: number;
  toMs: number;
  afterMs: number;
  afterPop: string;
  afterSequence: number;
  limit: number;
}

type EventRow = Omit<StoredEvent, 'event'> & { event: string };
type Columns = Record<string, string | number | null>;
type Filter = keyof typeof FILTERS;

export class EventTable {
  readonly #insert: Statement<[Columns]>;
  readonly #declare: Statement<[Columns]>;
  readonly #select: Readonly<Record<Filter, Statement<[EventParameters], EventRow>>>;

  constructor(database: Database) {
    this.#insert = database.prepare(INSERT);
    this.#declare = database.prepare(DECLARE);
    const select = (filter: Filter): Statement<[EventParameters], EventRow> =>
      database.prepare(`
        SELECT pop, sequence, at_ms AS atMs, event FROM event_row
        WHERE ${FILTERS[filter]} at_ms >= :fromMs AND at_ms < :toMs AND at_ms >= :afterMs
          AND (at_ms, pop, sequence) > (:afterMs, :afterPop, :afterSequence)
        ORDER BY at_ms, pop, sequence LIMIT :limit`);
    this.#select = { all: select('all'), kind: select('kind'), pop: select('pop'), both: select('both') };
  }

  insert({ pop, sequence, at_unix_ms: at_ms, event }: ChainRecord): void {
    const { kind } = event;
    this.#insert.run({ pop, sequence, kind, at_ms, ...subjectOf(event), event: JSON.stringify(event) });
    if (kind !== 'gap') return;
    for (const [from, to] of event.ranges) this.#declare.run({ pop, from, to, by: sequence, reason: event.reason });
  }

  list({ pop, kind, fromS, toS, after, limit }: EventQuery): StoredEvent[] {
    const rows = this.#select[filterOf(pop, kind)].all({
      pop,
      kind,
      fromMs: Math.min(Number.MAX_SAFE_INTEGER, fromS * MS_PER_S),
      toMs: Math.min(Number.MAX_SAFE_INTEGER, toS * MS_PER_S),
      afterMs: after.atMs,
      afterPop: after.pop,
      afterSequence: after.sequence,
      limit,
    });
    return rows.map(({ event, ...place }) => ({ ...place, event: JSON.parse(event) as RecordEvent }));
  }
}

function filterOf(pop: string | null, kind: string | null): Filter {
  if (pop === null) return kind === null ? 'all' : 'kind';
  return kind === null ? 'pop' : 'both';
}

/** Which pair it is about, and what became of it, as far as it is about one. */
function subjectOf(event: RecordEvent): { peer: string | null; family: string | null; state: string | null } {
  switch (event.kind) {
    case 'pair':
      return { peer: event.peer, family: event.family, state: event.state };
    case 'trace':
      return { peer: event.trace.peer, family: event.trace.family, state: event.trace.outcome };
    case 'instrument':
      return { peer: null, family: null, state: event.state };
    default:
      return { peer: null, family: null, state: null };
  }
}
