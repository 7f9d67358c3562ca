/** Reads the state of every PoP and its newest window out of the SQLite tables. */

import type { Database, Statement } from 'better-sqlite3';
import type { SummaryCounts } from '../../protocol/summary.ts';
import { OtherEndReader, type OtherEnds } from './other-end-reader.ts';
import type { NewestWindow, StoredPath, StoredPeer, StoredPop } from './store.ts';

const SELECT_POPS = `
  SELECT p.pop AS pop, p.documents AS documents, p.last_sequence AS lastSequence,
    p.last_received_at_ms AS lastAcceptedMs, c.at_ms + coalesce(c.length_s, 0) * 1000 - d.received_at_ms AS skewMs
  FROM pop_state p
    JOIN chain_row c ON c.pop = p.pop AND c.sequence = p.last_sequence
    JOIN document d ON d.pop = p.pop AND d.sequence = p.last_sequence
  ORDER BY p.pop`;

/** Records may follow a PoP's newest summary. */
const SELECT_WINDOWS = `
  SELECT w.pop AS pop, w.sequence AS sequence, w.window_start_s AS windowStartS, w.window_length_s AS windowLengthS,
    w.schedule AS schedule, w.tick_ms AS tickMs, w.tmax_ms AS tmaxMs
  FROM pop_state p JOIN window_row w
    ON w.pop = p.pop AND w.sequence = (SELECT max(sequence) FROM window_row WHERE pop = p.pop)`;

const SELECT_PEERS = 'SELECT peer, seconds FROM peer_row WHERE pop = ? AND sequence = ? ORDER BY peer';

const SELECT_PATHS = `
  SELECT peer, class, kind, family, dscp, flow, interval_ms, due, received, lost, refused, missed, void, late,
    unreachable, corrupt, duplicate, reordered, lost_forward, lost_reverse, lost_unresolved, lost_open, rtt_n, rtt_sum_ns,
    rtt_max_ns, histogram
  FROM minute_row WHERE pop = ? AND sequence = ?
  ORDER BY peer, class, kind, family, dscp, size_bytes, flow`;

interface PathRow extends SummaryCounts {
  peer: string;
  class: string;
  kind: 'icmp' | 'stamp';
  family: 'ipv4' | 'ipv6';
  dscp: number;
  flow: number;
  interval_ms: number;
  lost_forward: number | null;
  lost_reverse: number | null;
  lost_unresolved: number | null;
  lost_open: number | null;
  rtt_n: number;
  rtt_sum_ns: number;
  rtt_max_ns: number | null;
  histogram: string | null;
}

type PopRow = Omit<StoredPop, 'newest'>;
type WindowRow = Omit<NewestWindow, 'peers' | 'isFirstOfRun' | 'clockErrorNs'>;

export class MeshReader {
  readonly #pops: Statement<[], PopRow>;
  readonly #windows: Statement<[], WindowRow>;
  readonly #peers: Statement<[string, number], { peer: string; seconds: string }>;
  readonly #paths: Statement<[string, number], PathRow>;
  readonly #otherEnds: OtherEndReader;

  constructor(database: Database) {
    this.#pops = database.prepare(SELECT_POPS);
    this.#windows = database.prepare(SELECT_WINDOWS);
    this.#peers = database.prepare(SELECT_PEERS);
    this.#paths = database.prepare(SELECT_PATHS);
    this.#otherEnds = new OtherEndReader(database);
  }

  /** By name of the PoP, its peers by name. @throws SqliteError as SQLite does. */
  pops(): StoredPop[] {
    const windows = this.#windows.all();
    const ends = this.#otherEnds.read(windows);
    const newest = new Map(windows.map((window) => [window.pop, this.#newest(window, ends)]));
    return this.#pops.all().map((state) => ({ ...state, newest: newest.get(state.pop) ?? null }));
  }

  #newest(window: WindowRow, ends: OtherEnds): NewestWindow {
    const { isFirstOfRun, clockErrorNs } = ends.own(window);
    return { ...window, isFirstOfRun, clockErrorNs, peers: this.#peersOf(window, ends) };
  }

  #peersOf(window: WindowRow, ends: OtherEnds): StoredPeer[] {
    const { pop, sequence } = window;
    const peers = new Map<string, StoredPeer>();
    for (const row of this.#peers.all(pop, sequence)) {
      peers.set(row.peer, { ...row, paths: [], otherEnd: ends.other(window, row.peer) });
    }
    for (const row of this.#paths.iterate(pop, sequence)) peers.get(row.peer)?.paths.push(pathOf(row));
    return [...peers.values()];
  }
}

function pathOf(row: PathRow): StoredPath {
  const { due, received, lost, refused, missed, late, unreachable, corrupt, duplicate, reordered } = row;
  return {
    class: row.class,
    kind: row.kind,
    family: row.family,
    dscp: row.dscp,
    flow: row.flow,
    intervalMs: row.interval_ms,
    counts: { due, received, lost, refused, missed, void: row.void, late, unreachable, corrupt, duplicate, reordered },
    direction: directionOf(row),
    rttN: row.rtt_n,
    rttSumNs: row.rtt_sum_ns,
    rttMaxNs: row.rtt_max_ns,
    histogram: row.histogram === null ? [] : (JSON.parse(row.histogram) as [number, number][]),
  };
}

function directionOf(row: PathRow): StoredPath['direction'] {
  const { lost_forward: forward, lost_reverse: reverse, lost_unresolved: unresolved, lost_open: open } = row;
  if (forward === null || reverse === null || unresolved === null || open === null) return null;
  return { forward, reverse, unresolved, open };
}
