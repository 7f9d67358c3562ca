/** The store in one SQLite file: evidence and derived rows of a document, written all or nothing. */

import type { Database, Statement } from 'better-sqlite3';
import { PopprobeError } from '../../base/errors.ts';
import type { ChainVerdict } from '../../protocol/chain.ts';
import { placeOf } from '../../protocol/document-place.ts';
import type { VerifiedDocument } from '../verify.ts';
import { ChainTable } from './chain-table.ts';
import { ConflictTable } from './conflict-table.ts';
import { guarded } from './database.ts';
import { EventTable } from './event-table.ts';
import { GapReader } from './gap-reader.ts';
import { GroupCommit } from './group-commit.ts';
import { MeshReader } from './mesh-reader.ts';
import type {
  Acceptance,
  DocumentName,
  DocumentQuery,
  DocumentStore,
  EventQuery,
  ListedDocument,
  MissingDocuments,
  StoredConflicts,
  StoredDocument,
  StoredEvent,
  StoredPop,
} from './store.ts';
import { SummaryRows } from './summary-rows.ts';

const INSERT_DOCUMENT = `
  INSERT INTO document (pop, sequence, kid, received_at_ms, octets, signature)
  VALUES (:pop, :sequence, :kid, :received_at_ms, :octets, :signature)`;

const UPDATE_POP = `
  INSERT INTO pop_state (pop, documents, last_sequence, last_received_at_ms)
  VALUES (:pop, 1, :sequence, :received_at_ms)
  ON CONFLICT (pop) DO UPDATE SET
    documents = documents + 1,
    last_sequence = max(last_sequence, excluded.last_sequence),
    last_received_at_ms = max(last_received_at_ms, excluded.last_received_at_ms)`;

type Columns = Record<string, string | number | Uint8Array>;
type Conflict = Extract<ChainVerdict, { verdict: 'conflict' }>;

/** A document to store, and when it came; ms since the Unix epoch. */
interface Arrival {
  document: VerifiedDocument;
  receivedAtMs: number;
}

export class SqliteStore implements DocumentStore {
  readonly #database: Database;
  readonly #insertDocument: Statement<[Columns]>;
  readonly #updatePop: Statement<[Columns]>;
  readonly #evidence: Statement<[string, number], StoredDocument>;
  readonly #chains: ChainTable;
  readonly #summaries: SummaryRows;
  readonly #events: EventTable;
  readonly #conflicts: ConflictTable;
  readonly #gaps: GapReader;
  readonly #mesh: MeshReader;
  readonly #acceptances: GroupCommit<Arrival, Acceptance | Conflict>;

  /** @param database from `openDatabase`; the store closes it. */
  constructor(database: Database) {
    this.#database = database;
    this.#insertDocument = database.prepare(INSERT_DOCUMENT);
    this.#updatePop = database.prepare(UPDATE_POP);
    this.#evidence = database.prepare('SELECT octets, signature FROM document WHERE pop = ? AND sequence = ?');
    this.#chains = new ChainTable(database);
    this.#summaries = new SummaryRows(database);
    this.#events = new EventTable(database);
    this.#conflicts = new ConflictTable(database);
    this.#gaps = new GapReader(database);
    this.#mesh = new MeshReader(database);
    this.#acceptances = new GroupCommit(database, (arrival) => this.#acceptNow(arrival));
  }

  async accept(document: VerifiedDocument, receivedAtMs: number): Promise<Acceptance> {
    // Thrown only now: what is kept of a conflict is in the commit.
    const outcome = await this.#acceptances.run({ document, receivedAtMs }, document.octets.length);
    if ('status' in outcome) return outcome;
    throw new PopprobeError('chain_conflict', {
      expected: `${outcome.expected} (PoP ${placeOf(document).pop})`,
      found: outcome.found,
      remedy: 'find out whether two agents run under this name, or one lost its state',
    });
  }

  mesh(): Promise<StoredPop[]> {
    return this.#answer(() => this.#mesh.pops());
  }

  document(pop: string, sequence: number): Promise<StoredDocument | null> {
    return this.#answer(() => this.#evidence.get(pop, sequence) ?? null);
  }

  documentNames(): Promise<DocumentName[]> {
    return this.#answer(() => this.#chains.names());
  }

  listDocuments(query: DocumentQuery): Promise<ListedDocument[]> {
    return this.#answer(() => this.#chains.list(query));
  }

  listEvents(query: EventQuery): Promise<StoredEvent[]> {
    return this.#answer(() => this.#events.list(query));
  }

  listGaps(pop: string, after: number, limit: number): Promise<MissingDocuments[]> {
    return this.#answer(() => this.#gaps.list(pop, after, limit));
  }

  conflicts(pop: string): Promise<StoredConflicts> {
    return this.#answer(() => this.#conflicts.list(pop));
  }

  conflict(pop: string, sequence: number, digest: string): Promise<StoredDocument | null> {
    return this.#answer(() => this.#conflicts.get(pop, sequence, digest));
  }

  close(): Promise<void> {
    return this.#answer(() => void this.#database.close());
  }

  /** SQLite answers at once; the promise is the interface's. */
  #answer<T>(action: () => T): Promise<T> {
    return new Promise((resolve) => resolve(guarded('the database', action)));
  }

  #acceptNow({ document, receivedAtMs }: Arrival): Acceptance | Conflict {
    const verdict = this.#chains.judge(document);
    if (verdict.verdict === 'duplicate') return { status: 'duplicate' };
    if (verdict.verdict === 'conflict') {
      this.#conflicts.keep(document, verdict, receivedAtMs);
      return verdict;
    }
    const { pop, sequence } = placeOf(document);
    const { octets, signature, kid } = document;
    this.#insertDocument.run({ pop, sequence, kid, received_at_ms: receivedAtMs, octets, signature });
    this.#updatePop.run({ pop, sequence, received_at_ms: receivedAtMs });
    const order = this.#chains.add(document);
    if (document.kind === 'summary') this.#summaries.insert(document.summary);
    else this.#events.insert(document.record);
    return { status: 'accepted', order };
  }
}
