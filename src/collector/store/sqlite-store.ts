/** The store in one SQLite file: evidence and derived rows, written in one transaction per document. */

import type { Database, Statement, Transaction } from 'better-sqlite3';
import { PopprobeError } from '../../base/errors.ts';
import { type ChainLink, type ChainNeighbours, judgeLink } from '../../protocol/chain.ts';
import type { Summary, SummaryPath, SummaryPeer } from '../../protocol/summary.ts';
import type { VerifiedDocument } from '../verify.ts';
import { guarded } from './database.ts';
import { MeshReader } from './mesh-reader.ts';
import type {
  Acceptance,
  DocumentName,
  DocumentQuery,
  ListedDocument,
  NewestWindow,
  StoredDocument,
  SummaryStore,
} from './store.ts';

const INSERT_DOCUMENT = `
  INSERT INTO document (pop, sequence, boot_id, digest, prev, kid, window_start_s, window_length_s, received_at_ms,
    octets, signature)
  VALUES (:pop, :sequence, :boot_id, :digest, :prev, :kid, :window_start_s, :window_length_s, :received_at_ms,
    :octets, :signature)`;

const UPDATE_POP = `
  INSERT INTO pop_state (pop, documents, last_sequence, last_received_at_ms)
  VALUES (:pop, 1, :sequence, :received_at_ms)
  ON CONFLICT (pop) DO UPDATE SET
    documents = documents + 1,
    last_sequence = max(last_sequence, excluded.last_sequence),
    last_received_at_ms = max(last_received_at_ms, excluded.last_received_at_ms)`;

const INSERT_WINDOW = `
  INSERT INTO window_row (pop, sequence, window_start_s, window_length_s, schedule, tick_ms, tmax_ms, clock_error_ns)
  VALUES (:pop, :sequence, :window_start_s, :window_length_s, :schedule, :tick_ms, :tmax_ms, :clock_error_ns)`;

const INSERT_REFLECTED = `
  INSERT INTO reflected_row (pop, sequence, peer, class, family, flow, window_start_s, window_length_s, received,
    replied)
  VALUES (:pop, :sequence, :peer, :class, :family, :flow, :window_start_s, :window_length_s, :received, :replied)`;

const INSERT_PEER = `
  INSERT INTO peer_row (pop, sequence, peer, window_start_s, window_length_s, seconds)
  VALUES (:pop, :sequence, :peer, :window_start_s, :window_length_s, :seconds)`;

const INSERT_PATH = `
  INSERT INTO minute_row (pop, sequence, peer, class, kind, family, dscp, size_bytes, flow, window_start_s,
    window_length_s, interval_ms, due, received, lost, refused, missed, void, late, unreachable, corrupt, duplicate,
    reordered, lost_forward, lost_reverse, lost_unresolved, lost_open, rtt_n, rtt_sum_ns, rtt_min_ns, rtt_max_ns, histogram)
  VALUES (:pop, :sequence, :peer, :class, :kind, :family, :dscp, :size_bytes, :flow, :window_start_s,
    :window_length_s, :interval_ms, :due, :received, :lost, :refused, :missed, :void, :late, :unreachable, :corrupt,
    :duplicate, :reordered, :lost_forward, :lost_reverse, :lost_unresolved, :lost_open,
    :rtt_n, :rtt_sum_ns, :rtt_min_ns, :rtt_max_ns, :histogram)`;

/** Windows are looked for where rows are small: those of documents hold megabytes. */
const LIST_DOCUMENTS = `
  SELECT w.sequence, d.digest, w.window_start_s AS windowStartS, w.window_length_s AS windowLengthS
  FROM window_row w JOIN document d ON d.pop = w.pop AND d.sequence = w.sequence
  WHERE w.pop = :pop AND w.sequence > :after AND w.window_start_s >= :fromS AND w.window_start_s < :toS
  ORDER BY w.sequence LIMIT :limit`;

/** The columns that every row of one document shares. */
interface WindowColumns {
  pop: string;
  sequence: number;
  window_start_s: number;
  window_length_s: number;
}

type Columns = Record<string, string | number | Uint8Array | null>;

export class SqliteStore implements SummaryStore {
  readonly #database: Database;
  readonly #neighbours: Statement<[string, number, number], ChainLink>;
  readonly #evidence: Statement<[string, number], { octets: Buffer; signature: string }>;
  readonly #names: Statement<[], DocumentName>;
  readonly #list: Statement<[DocumentQuery], ListedDocument>;
  readonly #insertDocument: Statement<[Columns]>;
  readonly #updatePop: Statement<[Columns]>;
  readonly #insertWindow: Statement<[Columns]>;
  readonly #insertPeer: Statement<[Columns]>;
  readonly #insertPath: Statement<[Columns]>;
  readonly #insertReflected: Statement<[Columns]>;
  readonly #accept: Transaction<(document: VerifiedDocument, receivedAtMs: number) => Acceptance>;
  readonly #meshReader: MeshReader;

  /** @param database from `openDatabase`; the store closes it. */
  constructor(database: Database) {
    this.#database = database;
    this.#neighbours = database.prepare(
      'SELECT sequence, digest, prev FROM document WHERE pop = ? AND sequence BETWEEN ? AND ?',
    );
    this.#evidence = database.prepare('SELECT octets, signature FROM document WHERE pop = ? AND sequence = ?');
    this.#names = database.prepare('SELECT pop, sequence FROM document ORDER BY pop, sequence');
    this.#list = database.prepare(LIST_DOCUMENTS);
    this.#insertDocument = database.prepare(INSERT_DOCUMENT);
    this.#updatePop = database.prepare(UPDATE_POP);
    this.#insertWindow = database.prepare(INSERT_WINDOW);
    this.#insertPeer = database.prepare(INSERT_PEER);
    this.#insertPath = database.prepare(INSERT_PATH);
    this.#insertReflected = database.prepare(INSERT_REFLECTED);
    this.#accept = database.transaction((document, receivedAtMs) => this.#insert(document, receivedAtMs));
    this.#meshReader = new MeshReader(database);
  }

  accept(document: VerifiedDocument, receivedAtMs: number): Promise<Acceptance> {
    // Immediate: the chain is judged under the write lock, so that nothing gets in between judging and storing.
    return this.#answer(() => this.#accept.immediate(document, receivedAtMs));
  }

  mesh(): Promise<NewestWindow[]> {
    return this.#answer(() => this.#meshReader.newestWindows());
  }

  document(pop: string, sequence: number): Promise<StoredDocument | null> {
    return this.#answer(() => this.#evidence.get(pop, sequence) ?? null);
  }

  documentNames(): Promise<DocumentName[]> {
    return this.#answer(() => this.#names.all());
  }

  listDocuments(query: DocumentQuery): Promise<ListedDocument[]> {
    return this.#answer(() => this.#list.all(query));
  }

  close(): Promise<void> {
    return this.#answer(() => void this.#database.close());
  }

  /** SQLite answers at once; the promise is the interface's. */
  #answer<T>(action: () => T): Promise<T> {
    return new Promise((resolve) => resolve(guarded('the database', action)));
  }

  #insert(document: VerifiedDocument, receivedAtMs: number): Acceptance {
    const { summary, digest } = document;
    const { pop, sequence, prev } = summary;
    const verdict = judgeLink({ sequence, digest, prev }, this.#neighboursOf(pop, sequence));
    if (verdict.verdict === 'duplicate') return 'duplicate';
    if (verdict.verdict === 'conflict') {
      throw new PopprobeError('chain_conflict', {
        expected: `${verdict.expected} (PoP ${pop})`,
        found: verdict.found,
        remedy: 'find out whether two agents run under this name, or one lost its state',
      });
    }
    const { start_unix_s: window_start_s, length_s: window_length_s } = summary.window;
    const window = { pop, sequence, window_start_s, window_length_s };
    const { octets, signature, kid } = document;
    const evidence = { boot_id: summary.boot_id, digest, prev, kid, octets, signature };
    this.#insertDocument.run({ ...window, ...evidence, received_at_ms: receivedAtMs });
    this.#updatePop.run({ pop, sequence, received_at_ms: receivedAtMs });
    this.#insertWindow.run({ ...window, ...windowColumns(summary) });
    for (const peer of summary.peers) this.#insertPeerRows(window, peer);
    return 'accepted';
  }

  #neighboursOf(pop: string, sequence: number): ChainNeighbours {
    const stored = this.#neighbours.all(pop, sequence - 1, sequence + 1);
    const at = (wanted: number): ChainLink | null => stored.find((link) => link.sequence === wanted) ?? null;
    return { before: at(sequence - 1), same: at(sequence), after: at(sequence + 1) };
  }

  #insertPeerRows(window: WindowColumns, { peer, seconds, paths, reflected }: SummaryPeer): void {
    this.#insertPeer.run({ ...window, peer, seconds });
    for (const path of paths) this.#insertPath.run({ ...window, peer, ...pathColumns(path) });
    for (const session of reflected) this.#insertReflected.run({ ...window, peer, ...session });
  }
}

/** The bound of a clock that made a step in the window says nothing of the time before it. */
function windowColumns({ parameters, clock }: Summary): Columns {
  return {
    schedule: parameters.schedule,
    tick_ms: parameters.tick_ms,
    tmax_ms: parameters.tmax_ms,
    clock_error_ns: clock.steps > 0 ? null : clock.max_error_ns,
  };
}

function pathColumns(path: SummaryPath): Columns {
  return {
    class: path.class,
    kind: path.kind,
    family: path.family,
    dscp: path.dscp,
    size_bytes: path.size_bytes,
    flow: path.flow,
    interval_ms: path.interval_ms,
    ...path.counts,
    ...directionColumns(path.loss_direction),
    rtt_n: path.rtt?.n ?? 0,
    rtt_sum_ns: path.rtt?.sum_ns ?? 0,
    rtt_min_ns: path.rtt?.min_ns ?? null,
    rtt_max_ns: path.rtt?.max_ns ?? null,
    histogram: path.histogram === null ? null : JSON.stringify(path.histogram.buckets),
  };
}

function directionColumns(direction: SummaryPath['loss_direction']): Columns {
  return {
    lost_forward: direction?.forward ?? null,
    lost_reverse: direction?.reverse ?? null,
    lost_unresolved: direction?.unresolved ?? null,
    lost_open: direction?.open ?? null,
  };
}
