/** Reads what the reflectors of the peers say of the windows that the mesh shows, in a few queries for the whole mesh. */

import type { Database, Statement } from 'better-sqlite3';
import type { NewestWindow, StoredEnd, StoredOtherEnd, StoredReflected } from './store.ts';

/**
 * Every PoP's summaries for a window, the newest last. A run is what one boot_id names; the first summary of one is that
 * behind a summary of another run, or behind a hole that may hide one.
 */
const SELECT_ENDS = `
  SELECT w.pop AS pop, w.sequence AS sequence, w.clock_error_ns AS clockErrorNs,
    NOT EXISTS (SELECT 1 FROM chain_row b, chain_row d
      WHERE d.pop = w.pop AND d.sequence = w.sequence AND b.pop = w.pop AND b.boot_id = d.boot_id
        AND b.sequence = (SELECT max(sequence) FROM window_row WHERE pop = w.pop AND sequence < w.sequence)
        AND NOT EXISTS (SELECT 1 FROM hole_row
          WHERE pop = w.pop AND from_sequence > b.sequence AND from_sequence < w.sequence)) AS isFirstOfRun
  FROM window_row w
  WHERE w.window_start_s = ? AND w.window_length_s = ?
  ORDER BY w.pop, w.sequence`;

/** What every reflector counted of one sender's sessions. */
const SELECT_REFLECTED = `
  SELECT pop, sequence, class, family, flow, received, replied
  FROM reflected_row
  WHERE peer = ? AND window_start_s = ? AND window_length_s = ?
  ORDER BY pop, sequence, class, family, flow`;

type Window = Pick<NewestWindow, 'pop' | 'windowStartS' | 'windowLengthS'>;
type EndRow = { pop: string; sequence: number; clockErrorNs: number | null; isFirstOfRun: 0 | 1 };
type ReflectedRow = StoredReflected & { pop: string; sequence: number };

/** The ends of the paths of all newest windows. */
export interface OtherEnds {
  /** The PoP's own end in its newest window. */
  own(window: Window): StoredEnd;
  /** The peer's end in the same window; null when it has sent no document for it. */
  other(window: Window, peer: string): StoredOtherEnd | null;
}

export class OtherEndReader {
  readonly #ends: Statement<[number, number], EndRow>;
  readonly #reflected: Statement<[string, number, number], ReflectedRow>;

  constructor(database: Database) {
    this.#ends = database.prepare(SELECT_ENDS);
    this.#reflected = database.prepare(SELECT_REFLECTED);
  }

  /** Most PoPs are in the same window, so its ends are read once; the sessions once for each sender. */
  read(windows: readonly Window[]): OtherEnds {
    const ends = new Map<string, Map<string, EndRow>>();
    const sessions = new Map<string, Map<string, StoredReflected[]>>();
    for (const window of windows) {
      const { pop, windowStartS, windowLengthS } = window;
      const start = startOf(window);
      if (!ends.has(start)) ends.set(start, newestByPop(this.#ends.all(windowStartS, windowLengthS)));
      sessions.set(pop, byDocument(this.#reflected.all(pop, windowStartS, windowLengthS)));
    }
    return {
      own: (window) => endOf(ends.get(startOf(window))?.get(window.pop)),
      other: (window, peer) => {
        const end = ends.get(startOf(window))?.get(peer);
        if (!end) return null;
        return { ...endOf(end), sessions: sessions.get(window.pop)?.get(`${peer} ${end.sequence}`) ?? [] };
      },
    };
  }
}

function startOf({ windowStartS, windowLengthS }: Window): string {
  return `${windowStartS} ${windowLengthS}`;
}

function newestByPop(rows: readonly EndRow[]): Map<string, EndRow> {
  return new Map(rows.map((row) => [row.pop, row]));
}

function endOf(row: EndRow | undefined): StoredEnd {
  return { isFirstOfRun: row?.isFirstOfRun !== 0, clockErrorNs: row?.clockErrorNs ?? null };
}

function byDocument(rows: readonly ReflectedRow[]): Map<string, StoredReflected[]> {
  const documents = new Map<string, StoredReflected[]>();
  for (const { pop, sequence, ...session } of rows) {
    const key = `${pop} ${sequence}`;
    const own = documents.get(key);
    if (own) own.push(session);
    else documents.set(key, [session]);
  }
  return documents;
}
