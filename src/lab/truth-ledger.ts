/** The forwarder's side of the ledger: books what becomes of packets and probes, and allocates nothing while doing so. */

import {
  BLOCKS,
  blockLength,
  blockStart,
  COUNT_WORD,
  createLedger,
  ERROR_BOUNDS_US,
  FIELD,
  type LedgerViews,
  openLedger,
  rowOffset,
} from './ledger-layout.ts';

/** Where a probe was lost. Unanswered: its request was delivered, and no reply to it was ever offered. */
export const LOST = { forward: 0, reverse: 1, unanswered: 2 } as const;

/**
 * Every booking names the Unix second in which the packet was offered, or the probe's request was; delays are in µs and are
 * rounded to whole ones. The caller's seconds run on steadily, whatever is done to the clock: a booking for a second whose
 * block has passed on to a later one is not made, but counted as stale.
 */
export class TruthLedger {
  readonly #views: LedgerViews;

  private constructor(views: LedgerViews) {
    this.#views = views;
  }

  /** A ledger of its own shared memory. */
  static create(hosts: number): TruthLedger {
    return new TruthLedger(createLedger(hosts));
  }

  /** The same ledger in another thread. @throws PopprobeError ring_mismatch when `buffer` is something else. */
  static open(buffer: SharedArrayBuffer): TruthLedger {
    return new TruthLedger(openLedger(buffer));
  }

  get buffer(): SharedArrayBuffer {
    return this.#views.buffer;
  }

  /** Bookings that came too late, modulo 2^32. */
  get stale(): number {
    return Atomics.load(this.#views.counts, COUNT_WORD.stale);
  }

  /** A probe found no room in the matcher: the truth is short of it. */
  leftUntold(): void {
    Atomics.add(this.#views.counts, COUNT_WORD.untold, 1);
  }

  offered(second: number, from: number, to: number): void {
    this.#add(this.#row(second, from, to), FIELD.offered, 1);
  }

  /** `cause` is one of DROP, and not `none`. */
  dropped(second: number, from: number, to: number, cause: number): void {
    this.#add(this.#row(second, from, to), FIELD.dropped + cause - 1, 1);
  }

  /** A packet, no copy, was written `delayUs` after it had been read. */
  delivered(second: number, from: number, to: number, delayUs: number): void {
    const row = this.#row(second, from, to);
    if (row < 0) return;
    const { values } = this.#views;
    const wholeUs = Math.round(delayUs);
    const isFirst = values[row + FIELD.delays] === 0;
    if (isFirst || wholeUs < (values[row + FIELD.delayMin] ?? 0)) values[row + FIELD.delayMin] = wholeUs;
    if (isFirst || wholeUs > (values[row + FIELD.delayMax] ?? 0)) values[row + FIELD.delayMax] = wholeUs;
    this.#addDelay(row, FIELD.delays, FIELD.delaySum, wholeUs);
  }

  duplicated(second: number, from: number, to: number): void {
    this.#add(this.#row(second, from, to), FIELD.duplicated, 1);
  }

  reordered(second: number, from: number, to: number): void {
    this.#add(this.#row(second, from, to), FIELD.reordered, 1);
  }

  corrupted(second: number, from: number, to: number): void {
    this.#add(this.#row(second, from, to), FIELD.corrupted, 1);
  }

  /** `from` is the prober, here and below. */
  probeSent(second: number, from: number, to: number): void {
    this.#add(this.#row(second, from, to), FIELD.sent, 1);
  }

  /** `where` is one of LOST. */
  probeLost(second: number, from: number, to: number, where: number): void {
    this.#add(this.#row(second, from, to), FIELD.lost + where, 1);
  }

  /** Delay of request and reply in the network, without the time at the far host; and how late the two were read. */
  stampAnswered(second: number, from: number, to: number, delayUs: number, lagUs: number): void {
    const row = this.#row(second, from, to);
    this.#addDelay(row, FIELD.stamps, FIELD.stampSum, Math.round(delayUs));
    this.#add(row, FIELD.stampLag, Math.round(lagUs));
  }

  /** From the request being read to the reply being written, the far host included; and how late the request was read. */
  icmpAnswered(second: number, from: number, to: number, delayUs: number, lagUs: number): void {
    const row = this.#row(second, from, to);
    this.#addDelay(row, FIELD.icmps, FIELD.icmpSum, Math.round(delayUs));
    this.#add(row, FIELD.icmpLag, Math.round(lagUs));
  }

  /** A packet of this second was written so far from when it should have been, either way. */
  error(second: number, errorUs: number): void {
    const block = this.#block(second);
    let bucket = 0;
    while (errorUs > (ERROR_BOUNDS_US[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.#add(block, bucket, 1);
  }

  #addDelay(row: number, count: number, sum: number, wholeUs: number): void {
    this.#add(row, count, 1);
    this.#add(row, sum, wholeUs);
  }

  #add(start: number, offset: number, amount: number): void {
    if (start < 0) return;
    const { values } = this.#views;
    values[start + offset] = (values[start + offset] ?? 0) + amount;
  }

  #row(second: number, from: number, to: number): number {
    const block = this.#block(second);
    return block < 0 ? -1 : block + rowOffset(this.#views.hosts, from, to);
  }

  /** Where the second's block begins, blank when it is the first to be booked in it; -1 when a later second has it. */
  #block(second: number): number {
    const { hosts, seconds, values, counts } = this.#views;
    const start = blockStart(hosts, second);
    const held = seconds[second % BLOCKS] ?? 0;
    if (held === second) return start;
    if (held > second) {
      Atomics.add(counts, COUNT_WORD.stale, 1);
      return -1;
    }
    // The name changes first: a reader of the old second that is still at it looks at the name afterwards.
    Atomics.store(seconds, second % BLOCKS, second);
    values.fill(0, start, start + blockLength(hosts));
    return start;
  }
}
