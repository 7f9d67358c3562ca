/** What the reflector received and answered of each session, by the window of arrival: shared memory, fixed at start. */

import { PopprobeError } from '../base/errors.ts';

/** Windows that a session remembers: the running one, and three that the main thread may be late to read. */
const WINDOWS = 4;
const CELL_WORDS = 3;
/** The words of a cell: which window it counts (its start over the length), requests received, replies sent. */
const CELL = { window: 0, received: 1, replied: 2 } as const;
const HEADER_WORDS = 2;
/** `horizonS`: all that arrived before this second is counted. `closed`: the newest window that has been read. */
const HEADER = { horizonS: 0, closed: 1 } as const;
/** In the place of a window, while the cell changes hands; above any real one. Shared memory begins as window 0, in 1970. */
const CHANGING = 0xffff_ffff;

const UNIX_S_MAX = 0xffff_ffff;

/** What a session has had in one window. */
export interface ReflectedCounts {
  received: number;
  replied: number;
}

/**
 * The reflecting thread counts, the main thread reads and closes windows; each word has one writer. A request belongs to
 * the window of its T2, however late the thread gets to it, so the counts do not depend on when they are read.
 */
export class ReflectedTally {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Uint32Array;
  readonly #windowS: number;

  /** Throws ring_mismatch when `buffer` was made for another number of sessions. */
  constructor(sessions: number, windowS: number, buffer?: SharedArrayBuffer) {
    const bytes = (HEADER_WORDS + sessions * WINDOWS * CELL_WORDS) * 4;
    if (buffer && buffer.byteLength !== bytes) {
      throw new PopprobeError('ring_mismatch', {
        expected: `${bytes} octets of windows of ${sessions} reflected sessions`,
        found: `${buffer.byteLength}`,
        remedy: 'restart the agent; if it stays, the two threads run different versions of popprobe',
      });
    }
    this.buffer = buffer ?? new SharedArrayBuffer(bytes);
    this.#words = new Uint32Array(this.buffer);
    this.#windowS = windowS;
  }

  /**
   * Goes on counting where another tally was: `kept` has for each session the number that it had there, or -1. To be called
   * by the writer, while nobody reads or closes windows.
   */
  continue(other: ReflectedTally, kept: readonly number[]): void {
    this.#words.set(other.#words.subarray(0, HEADER_WORDS));
    const words = WINDOWS * CELL_WORDS;
    for (const [session, old] of kept.entries()) {
      if (old < 0) continue;
      const from = HEADER_WORDS + old * words;
      this.#words.set(other.#words.subarray(from, from + words), HEADER_WORDS + session * words);
    }
  }

  /**
   * Counts a request of a session that arrived in this second since the Unix epoch. Returns the cell for its reply, or -1
   * when its window has been read already: then it is in no window's counts.
   */
  countReceived(session: number, arrivedS: number): number {
    const window = Math.floor(arrivedS / this.#windowS);
    if (window <= Atomics.load(this.#words, HEADER.closed)) return -1;
    const cell = this.#cellOf(session, window);
    if (this.#words[cell + CELL.window] !== window) this.#begin(cell, window);
    this.#words[cell + CELL.received] = (this.#words[cell + CELL.received] ?? 0) + 1;
    return cell;
  }

  /** Counts a reply that the kernel took, to a request of the cell that `countReceived` returned. */
  countReplied(cell: number): void {
    if (cell >= 0) this.#words[cell + CELL.replied] = (this.#words[cell + CELL.replied] ?? 0) + 1;
  }

  /** All that arrived before this second since the Unix epoch is counted; infinity where nothing is counted later. */
  advanceHorizon(beforeS: number): void {
    Atomics.store(this.#words, HEADER.horizonS, Math.min(beforeS, UNIX_S_MAX));
  }

  /** See `advanceHorizon`. */
  horizonS(): number {
    return Atomics.load(this.#words, HEADER.horizonS);
  }

  /** The window that begins at this second is about to be read: what arrived in it and comes later is not counted any more. */
  close(startS: number): void {
    Atomics.store(this.#words, HEADER.closed, Math.floor(startS / this.#windowS));
  }

  /** A session's counts of the window that begins at `startS`; null when later windows have taken their place. */
  read(session: number, startS: number): ReflectedCounts | null {
    const window = Math.floor(startS / this.#windowS);
    const cell = this.#cellOf(session, window);
    const before = Atomics.load(this.#words, cell + CELL.window);
    if (before < window) return { received: 0, replied: 0 };
    // In this order, so that a reply is never there without its request.
    const replied = Atomics.load(this.#words, cell + CELL.replied);
    const received = Atomics.load(this.#words, cell + CELL.received);
    const after = Atomics.load(this.#words, cell + CELL.window);
    return before === window && after === window ? { received, replied } : null;
  }

  #cellOf(session: number, window: number): number {
    return HEADER_WORDS + (session * WINDOWS + (window % WINDOWS)) * CELL_WORDS;
  }

  /** Whoever reads meanwhile sees a later window, never the counts of two. */
  #begin(cell: number, window: number): void {
    Atomics.store(this.#words, cell + CELL.window, CHANGING);
    Atomics.store(this.#words, cell + CELL.received, 0);
    Atomics.store(this.#words, cell + CELL.replied, 0);
    Atomics.store(this.#words, cell + CELL.window, window);
  }
}
