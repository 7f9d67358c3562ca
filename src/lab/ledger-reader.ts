/** The main thread's side of the ledger: the rows of the truth file, once nothing more is booked in their second. */

import { DROP } from './fate.ts';
import {
  BLOCKS,
  blockStart,
  COUNT_WORD,
  ERROR_BOUNDS_US,
  ERROR_COUNTS,
  FIELD,
  type LedgerViews,
  openLedger,
  rowOffset,
} from './ledger-layout.ts';
import type { TruthDrops, TruthError, TruthPackets, TruthProbes, TruthRow } from './truth.ts';
import { LOST } from './truth-ledger.ts';

/** A second is to be read after its last probe has been settled, and before 32 s have passed. */
export class LedgerReader {
  readonly #views: LedgerViews;

  /** @throws PopprobeError ring_mismatch when `buffer` is no ledger's. */
  constructor(buffer: SharedArrayBuffer) {
    this.#views = openLedger(buffer);
  }

  /** Bookings that came when their second's block had passed on, modulo 2^32. */
  get stale(): number {
    return Atomics.load(this.#views.counts, COUNT_WORD.stale);
  }

  /** Seconds whose rows were asked for when a later one had their block: the truth has a hole there. */
  get overwritten(): number {
    return Atomics.load(this.#views.counts, COUNT_WORD.overwritten);
  }

  /** Probes for which the matcher had no room: they are in no row, modulo 2^32. */
  get untold(): number {
    return Atomics.load(this.#views.counts, COUNT_WORD.untold);
  }

  /**
   * A row of each pair that had packets in this Unix second, sorted by `from`, then `to`. `names` are those of the
   * scenario's hosts in its order; hosts behind its end get no rows. Empty when the second has been overwritten.
   */
  rows(second: number, names: readonly string[]): TruthRow[] {
    const rows = this.#holds(second) ? this.#rowsOf(second, names) : [];
    if (Atomics.load(this.#views.seconds, second % BLOCKS) <= second) return rows;
    Atomics.add(this.#views.counts, COUNT_WORD.overwritten, 1);
    return [];
  }

  /** The emulator's accuracy in this Unix second; all zero when it had no packets, or has been overwritten. */
  error(second: number): TruthError {
    const { hosts, values } = this.#views;
    const start = blockStart(hosts, second);
    const packets = this.#holds(second) ? Array.from(values.subarray(start, start + ERROR_COUNTS)) : [];
    const isHeld = packets.length > 0 && this.#holds(second);
    return {
      second,
      error_us: ERROR_BOUNDS_US,
      packets: isHeld ? packets : Array.from({ length: ERROR_COUNTS }, () => 0),
    };
  }

  #holds(second: number): boolean {
    return Atomics.load(this.#views.seconds, second % BLOCKS) === second;
  }

  #rowsOf(second: number, names: readonly string[]): TruthRow[] {
    const { hosts, values } = this.#views;
    const rows: TruthRow[] = [];
    for (const [i, from] of names.entries()) {
      for (const [j, to] of names.entries()) {
        const start = blockStart(hosts, second) + rowOffset(hosts, i, j);
        const value = (field: number): number => values[start + field] ?? 0;
        if (value(FIELD.offered) === 0) continue;
        rows.push({ second, from, to, packets: packetsOf(value), probes: probesOf(value) });
      }
    }
    return rows;
  }
}

function packetsOf(value: (field: number) => number): TruthPackets {
  return {
    offered: value(FIELD.offered),
    dropped: dropsOf(value),
    duplicated: value(FIELD.duplicated),
    reordered: value(FIELD.reordered),
    corrupted: value(FIELD.corrupted),
    delay_n: value(FIELD.delays),
    delay_sum_us: value(FIELD.delaySum),
    delay_min_us: value(FIELD.delayMin),
    delay_max_us: value(FIELD.delayMax),
  };
}

function dropsOf(value: (field: number) => number): TruthDrops {
  const dropped = (cause: number): number => value(FIELD.dropped + cause - 1);
  return {
    loss: dropped(DROP.loss),
    isolated: dropped(DROP.isolated),
    queue: dropped(DROP.queue),
    mtu: dropped(DROP.mtu),
    ttl: dropped(DROP.ttl),
    overload: dropped(DROP.overload),
  };
}

function probesOf(value: (field: number) => number): TruthProbes {
  const forward = value(FIELD.lost + LOST.forward);
  const reverse = value(FIELD.lost + LOST.reverse);
  const unanswered = value(FIELD.lost + LOST.unanswered);
  return {
    sent: value(FIELD.sent),
    lost: forward + reverse + unanswered,
    lost_forward: forward,
    lost_reverse: reverse,
    unanswered,
    stamp_n: value(FIELD.stamps),
    stamp_sum_us: value(FIELD.stampSum),
    stamp_lag_sum_us: value(FIELD.stampLag),
    icmp_n: value(FIELD.icmps),
    icmp_sum_us: value(FIELD.icmpSum),
    icmp_lag_sum_us: value(FIELD.icmpLag),
  };
}
