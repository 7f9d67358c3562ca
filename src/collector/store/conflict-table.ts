/** Documents that were rightly signed and did not fit into their chain: kept as evidence of trouble, as far as there is room. */

import type { Database, Statement } from 'better-sqlite3';
import { LIMITS } from '../../base/limits.ts';
import type { ChainVerdict } from '../../protocol/chain.ts';
import { placeOf } from '../../protocol/document-place.ts';
import type { VerifiedDocument } from '../verify.ts';
import type { StoredConflict, StoredConflicts, StoredDocument } from './store.ts';

const INSERT = `
  INSERT INTO conflict_row (pop, sequence, digest, kid, received_at_ms, expected, found, signature, octets)
  VALUES (:pop, :sequence, :digest, :kid, :received_at_ms, :expected, :found, :signature, :octets)`;

const COUNT = `
  INSERT INTO conflict_state (pop, kept, kept_bytes, not_kept) VALUES (:pop, :kept, :kept_bytes, :not_kept)
  ON CONFLICT (pop) DO UPDATE SET
    kept = kept + excluded.kept,
    kept_bytes = kept_bytes + excluded.kept_bytes,
    not_kept = not_kept + excluded.not_kept`;

const LIST = `
  SELECT sequence, digest, kid, received_at_ms AS receivedAtMs, expected, found, length(octets) AS bytes
  FROM conflict_row WHERE pop = ? ORDER BY sequence, digest`;

interface ConflictState {
  kept: number;
  kept_bytes: number;
  not_kept: number;
}

type Columns = Record<string, string | number | Uint8Array>;
type Conflict = Extract<ChainVerdict, { verdict: 'conflict' }>;

export class ConflictTable {
  readonly #known: Statement<[string, number, string], { one: 1 }>;
  readonly #insert: Statement<[Columns]>;
  readonly #count: Statement<[Columns]>;
  readonly #state: Statement<[string], ConflictState>;
  readonly #list: Statement<[string], StoredConflict>;
  readonly #evidence: Statement<[string, number, string], StoredDocument>;

  constructor(database: Database) {
    const where = 'FROM conflict_row WHERE pop = ? AND sequence = ? AND digest = ?';
    this.#known = database.prepare(`SELECT 1 AS one ${where}`);
    this.#insert = database.prepare(INSERT);
    this.#count = database.prepare(COUNT);
    this.#state = database.prepare('SELECT kept, kept_bytes, not_kept FROM conflict_state WHERE pop = ?');
    this.#list = database.prepare(LIST);
    this.#evidence = database.prepare(`SELECT octets, signature ${where}`);
  }

  /** Keeps the document once, or counts it where there is no more room: the first ones tell how the trouble began. */
  keep(document: VerifiedDocument, { expected, found }: Conflict, receivedAtMs: number): void {
    const { pop, sequence } = placeOf(document);
    const { digest, kid, octets, signature } = document;
    if (this.#known.get(pop, sequence, digest) !== undefined) return;
    if (!this.#hasRoom(pop, octets.length)) {
      this.#count.run({ pop, kept: 0, kept_bytes: 0, not_kept: 1 });
      return;
    }
    const evidence = { pop, sequence, digest, kid, octets, signature };
    this.#insert.run({ ...evidence, received_at_ms: receivedAtMs, expected, found });
    this.#count.run({ pop, kept: 1, kept_bytes: octets.length, not_kept: 0 });
  }

  list(pop: string): StoredConflicts {
    return { kept: this.#list.all(pop), notKept: this.#state.get(pop)?.not_kept ?? 0 };
  }

  get(pop: string, sequence: number, digest: string): StoredDocument | null {
    return this.#evidence.get(pop, sequence, digest) ?? null;
  }

  #hasRoom(pop: string, bytes: number): boolean {
    const { kept, kept_bytes: keptBytes } = this.#state.get(pop) ?? { kept: 0, kept_bytes: 0 };
    return kept < LIMITS.conflictsPerPopMax && keptBytes + bytes <= LIMITS.conflictBytesPerPopMax;
  }
}
