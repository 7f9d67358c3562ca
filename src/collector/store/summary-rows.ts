/** Writes the rows that are derived of a summary: its window, its peers, their paths and what was reflected. */

import type { Database, Statement } from 'better-sqlite3';
import type { Summary, SummaryPath, SummaryPeer } from '../../protocol/summary.ts';

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

/** The columns that every row of one document shares. */
interface WindowColumns {
  pop: string;
  sequence: number;
  window_start_s: number;
  window_length_s: number;
}

type Columns = Record<string, string | number | null>;

export class SummaryRows {
  readonly #insertWindow: Statement<[Columns]>;
  readonly #insertPeer: Statement<[Columns]>;
  readonly #insertPath: Statement<[Columns]>;
  readonly #insertReflected: Statement<[Columns]>;

  constructor(database: Database) {
    this.#insertWindow = database.prepare(INSERT_WINDOW);
    this.#insertPeer = database.prepare(INSERT_PEER);
    this.#insertPath = database.prepare(INSERT_PATH);
    this.#insertReflected = database.prepare(INSERT_REFLECTED);
  }

  insert(summary: Summary): void {
    const { pop, sequence, peers } = summary;
    const { start_unix_s: window_start_s, length_s: window_length_s } = summary.window;
    const window = { pop, sequence, window_start_s, window_length_s };
    this.#insertWindow.run({ ...window, ...windowColumns(summary) });
    for (const peer of peers) this.#insertPeerRows(window, peer);
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
