/** Reads the newest window of every PoP out of the SQLite tables. */

import type { Database, Statement } from 'better-sqlite3';
import type { SummaryCounts } from '../../protocol/summary.ts';
import type { NewestWindow, StoredPath, StoredPeer } from './store.ts';

const SELECT_POPS = `
  SELECT p.pop AS pop, p.documents AS documents, p.last_sequence AS lastSequence,
    p.last_received_at_ms AS lastAcceptedMs, d.window_start_s AS windowStartS, d.window_length_s AS windowLengthS
  FROM pop_state p JOIN document d ON d.pop = p.pop AND d.sequence = p.last_sequence
  ORDER BY p.pop`;

const SELECT_PEERS = 'SELECT peer, seconds FROM peer_row WHERE pop = ? AND sequence = ? ORDER BY peer';

const SELECT_PATHS = `
  SELECT peer, class, kind, dscp, flow, due, received, lost, refused, missed, void, late, unreachable, corrupt,
    duplicate, reordered, rtt_n, rtt_sum_ns, histogram
  FROM minute_row WHERE pop = ? AND sequence = ?
  ORDER BY peer, class, kind, family, dscp, size_bytes, flow`;

interface PathRow extends SummaryCounts {
  peer: string;
  class: string;
  kind: 'icmp' | 'stamp';
  dscp: number;
  flow: number;
  rtt_n: number;
  rtt_sum_ns: number;
  histogram: string | null;
}

export class MeshReader {
  readonly #pops: Statement<[], Omit<NewestWindow, 'peers'>>;
  readonly #peers: Statement<[string, number], { peer: string; seconds: string }>;
  readonly #paths: Statement<[string, number], PathRow>;

  constructor(database: Database) {
    this.#pops = database.prepare(SELECT_POPS);
    this.#peers = database.prepare(SELECT_PEERS);
    this.#paths = database.prepare(SELECT_PATHS);
  }

  /** By name of the PoP, its peers by name. @throws SqliteError as SQLite does. */
  newestWindows(): NewestWindow[] {
    return this.#pops.all().map((state) => ({ ...state, peers: this.#peersOf(state.pop, state.lastSequence) }));
  }

  #peersOf(pop: string, sequence: number): StoredPeer[] {
    const peers = new Map<string, StoredPeer>();
    for (const row of this.#peers.all(pop, sequence)) peers.set(row.peer, { ...row, paths: [] });
    for (const row of this.#paths.iterate(pop, sequence)) peers.get(row.peer)?.paths.push(pathOf(row));
    return [...peers.values()];
  }
}

function pathOf(row: PathRow): StoredPath {
  const { due, received, lost, refused, missed, late, unreachable, corrupt, duplicate, reordered } = row;
  return {
    class: row.class,
    kind: row.kind,
    dscp: row.dscp,
    flow: row.flow,
    counts: { due, received, lost, refused, missed, void: row.void, late, unreachable, corrupt, duplicate, reordered },
    rttN: row.rtt_n,
    rttSumNs: row.rtt_sum_ns,
    histogram: row.histogram === null ? [] : (JSON.parse(row.histogram) as [number, number][]),
  };
}
