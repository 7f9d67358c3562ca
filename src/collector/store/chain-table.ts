/** The chains of all PoPs in small rows: which documents there are, which numbers are missing, and how a new one fits. */

import type { Database, Statement } from 'better-sqlite3';
import { MS_PER_S } from '../../base/units.ts';
import { type ChainLink, type ChainVerdict, judgeLink } from '../../protocol/chain.ts';
import { placeOf, timeOf } from '../../protocol/document-place.ts';
import type { VerifiedDocument } from '../verify.ts';
import type { Acceptance, DocumentName, DocumentQuery, ListedDocument } from './store.ts';

const INSERT = `
  INSERT INTO chain_row (pop, sequence, kind, digest, prev, boot_id, at_ms, length_s)
  VALUES (:pop, :sequence, :kind, :digest, :prev, :boot_id, :at_ms, :length_s)`;

/** Each end by itself: SQLite looks for both in one query through all of the chain, for every document that comes. */
const ENDS = `
  SELECT (SELECT min(sequence) FROM chain_row WHERE pop = :pop) AS first,
    (SELECT max(sequence) FROM chain_row WHERE pop = :pop) AS last`;

const HOLE_AT = `
  SELECT from_sequence AS "from", to_sequence AS "to" FROM hole_row
  WHERE pop = ? AND from_sequence <= ? ORDER BY from_sequence DESC LIMIT 1`;

const LISTED = 'sequence, digest, at_ms AS atMs, length_s AS lengthS';

const LIST_ALL = `
  SELECT ${LISTED} FROM chain_row WHERE pop = :pop AND sequence > :after ORDER BY sequence LIMIT :limit`;

/** Numbers follow time closely, but not always: the first and the last number of the span bound the search. */
const LIST_SPAN = `
  WITH bounds AS MATERIALIZED (
    SELECT min(sequence) AS first, max(sequence) AS last
    FROM chain_row INDEXED BY chain_row_by_time WHERE pop = :pop AND at_ms >= :fromMs AND at_ms < :toMs)
  SELECT ${LISTED} FROM chain_row
  WHERE pop = :pop AND sequence > :after AND sequence >= (SELECT first FROM bounds)
    AND sequence <= (SELECT last FROM bounds) AND at_ms >= :fromMs AND at_ms < :toMs
  ORDER BY sequence LIMIT :limit`;

interface Hole {
  from: number;
  to: number;
}

interface Ends {
  first: number | null;
  last: number | null;
}

type Order = Extract<Acceptance, { status: 'accepted' }>['order'];

export class ChainTable {
  readonly #neighbours: Statement<[string, number, number], ChainLink>;
  readonly #insert: Statement<[Record<string, string | number | null>]>;
  readonly #ends: Statement<[{ pop: string }], Ends>;
  readonly #holeAt: Statement<[string, number], Hole>;
  readonly #insertHole: Statement<[string, number, number]>;
  readonly #deleteHole: Statement<[string, number]>;
  readonly #names: Statement<[], DocumentName>;
  readonly #listAll: Statement<[DocumentQuery], ListedDocument>;
  readonly #listSpan: Statement<[DocumentQuery & { fromMs: number; toMs: number }], ListedDocument>;

  constructor(database: Database) {
    this.#neighbours = database.prepare(
      'SELECT sequence, digest, prev FROM chain_row WHERE pop = ? AND sequence BETWEEN ? AND ?',
    );
    this.#insert = database.prepare(INSERT);
    this.#ends = database.prepare(ENDS);
    this.#holeAt = database.prepare(HOLE_AT);
    this.#insertHole = database.prepare('INSERT INTO hole_row (pop, from_sequence, to_sequence) VALUES (?, ?, ?)');
    this.#deleteHole = database.prepare('DELETE FROM hole_row WHERE pop = ? AND from_sequence = ?');
    this.#names = database.prepare('SELECT pop, sequence FROM chain_row ORDER BY pop, sequence');
    this.#listAll = database.prepare(LIST_ALL);
    this.#listSpan = database.prepare(LIST_SPAN);
  }

  /** Whether the document fits between its stored neighbours. */
  judge(document: VerifiedDocument): ChainVerdict {
    const { pop, sequence, prev } = placeOf(document);
    const stored = this.#neighbours.all(pop, sequence - 1, sequence + 1);
    const at = (wanted: number): ChainLink | null => stored.find((link) => link.sequence === wanted) ?? null;
    const neighbours = { before: at(sequence - 1), same: at(sequence), after: at(sequence + 1) };
    return judgeLink({ sequence, digest: document.digest, prev }, neighbours);
  }

  /** Adds a document that fits, when the evidence for it is in its table, and tells where it went. */
  add(document: VerifiedDocument): Order {
    const place = placeOf(document);
    const { startMs, lengthS } = timeOf(document);
    const ends = this.#ends.get({ pop: place.pop });
    this.#insert.run({ ...place, kind: document.kind, digest: document.digest, at_ms: startMs, length_s: lengthS });
    return this.#place(place, ends?.first ?? null, ends?.last ?? null);
  }

  names(): DocumentName[] {
    return this.#names.all();
  }

  list(query: DocumentQuery): ListedDocument[] {
    const { fromS, toS } = query;
    if (fromS === 0 && toS === Number.MAX_SAFE_INTEGER) return this.#listAll.all(query);
    return this.#listSpan.all({ ...query, fromMs: toMs(fromS), toMs: toMs(toS) });
  }

  /** Keeps the holes between the first document and the last, whatever the order of arrival. */
  #place({ pop, sequence }: DocumentName, first: number | null, last: number | null): Order {
    if (first === null || last === null) return 'next';
    if (sequence > last) {
      this.#addHole(pop, last + 1, sequence - 1);
      return sequence === last + 1 ? 'next' : 'ahead';
    }
    if (sequence < first) this.#addHole(pop, sequence + 1, first - 1);
    else this.#splitHole(pop, sequence);
    return 'late';
  }

  #splitHole(pop: string, sequence: number): void {
    const hole = this.#holeAt.get(pop, sequence);
    if (hole === undefined || hole.to < sequence) throw new Error(`document ${sequence} of ${pop} lies in no hole`);
    this.#deleteHole.run(pop, hole.from);
    this.#addHole(pop, hole.from, sequence - 1);
    this.#addHole(pop, sequence + 1, hole.to);
  }

  #addHole(pop: string, from: number, to: number): void {
    if (from <= to) this.#insertHole.run(pop, from, to);
  }
}

/** The latest time there is stands for every later one: beyond it, numbers are no longer exact. */
function toMs(unixS: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, unixS * MS_PER_S);
}
