/** Reads which numbers of a PoP's chain are not stored, and which of them a gap record declares. */

import type { Database, Statement } from 'better-sqlite3';
import { type DeclaredRange, DeclaredRanges } from '../../protocol/declared-ranges.ts';
import type { EventOf } from '../../protocol/record.ts';
import type { MissingDocuments } from './store.ts';

const HOLES = `
  SELECT max(from_sequence, :after + 1) AS "from", to_sequence AS "to" FROM hole_row
  WHERE pop = :pop AND to_sequence > :after ORDER BY from_sequence LIMIT :limit`;

/** Those that reach into the numbers from one to another. */
const DECLARED = `
  SELECT from_sequence AS "from", to_sequence AS "to", by_sequence AS "by", reason FROM declared_row
  WHERE pop = ? AND to_sequence >= ? AND from_sequence <= ?`;

export class GapReader {
  readonly #holes: Statement<[{ pop: string; after: number; limit: number }], { from: number; to: number }>;
  readonly #declared: Statement<[string, number, number], DeclaredRange<EventOf<'gap'>['reason']>>;

  constructor(database: Database) {
    this.#holes = database.prepare(HOLES);
    this.#declared = database.prepare(DECLARED);
  }

  /** The first `limit` runs of numbers above `after`. */
  list(pop: string, after: number, limit: number): MissingDocuments[] {
    const holes = this.#holes.all({ pop, after, limit });
    const [first, last] = [holes[0], holes.at(-1)];
    if (!first || !last) return [];
    const declared = new DeclaredRanges(this.#declared.iterate(pop, first.from, last.to));
    return holes.flatMap(({ from, to }) => declared.split(from, to)).slice(0, limit);
  }
}
