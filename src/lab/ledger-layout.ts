/**
 * The shared memory in which the forwarder's thread books what happens, second by second: what lies where.
 *
 * ```text
 *   header    6 words of 32 bits   magic, hosts, stale, overwritten, untold, 1 spare
 *   seconds   32 words             the Unix second that each block has; 0: none yet
 *   blocks    32 times doubles     error histogram, then a row of every ordered pair of hosts, see FIELD;
 *                                  a second has the block `second mod 32`
 * ```
 *
 * One writer, one reader. Bookings reach back as far as Tmax; the reader comes after that, and before the second's block is
 * used again.
 */

import { PopprobeError } from '../base/errors.ts';

const MAGIC = 0x70706c62;
const HEADER_WORDS = 6;
const HEADER_WORD = { magic: 0, hosts: 1 } as const;
const BYTES_PER_WORD = 4;
const BYTES_PER_DOUBLE = 8;

/** Words that count: `stale` and `untold` are the writer's, `overwritten` the reader's. */
export const COUNT_WORD = { stale: 2, overwritten: 3, untold: 4 } as const;

/** Seconds that are held: a probe is booked up to Tmax after its second, and the reader may be 20 s late. */
export const BLOCKS = 32;

/** Upper bounds of the error histogram, µs; what is beyond the last is counted by itself. */
export const ERROR_BOUNDS_US: readonly number[] = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000];
export const ERROR_COUNTS = ERROR_BOUNDS_US.length + 1;

/** Doubles of a pair's row. A packet dropped for DROP cause c is counted in `dropped + c - 1`; delays are in µs. */
export const FIELD = {
  offered: 0,
  dropped: 1,
  duplicated: 7,
  reordered: 8,
  corrupted: 9,
  delays: 10,
  delaySum: 11,
  delayMin: 12,
  delayMax: 13,
  sent: 14,
  /** A probe lost as LOST place p is counted in `lost + p`. */
  lost: 15,
  stamps: 18,
  stampSum: 19,
  icmps: 20,
  icmpSum: 21,
  stampLag: 22,
  icmpLag: 23,
} as const;
const FIELDS = 24;

/** Typed views of the shared memory. */
export interface LedgerViews {
  readonly buffer: SharedArrayBuffer;
  readonly hosts: number;
  /** See COUNT_WORD. */
  readonly counts: Uint32Array;
  /** By block. */
  readonly seconds: Uint32Array;
  readonly values: Float64Array;
}

/** Shared memory for this many hosts, all blank. */
export function createLedger(hosts: number): LedgerViews {
  const buffer = new SharedArrayBuffer(ledgerBytes(hosts));
  const header = new Uint32Array(buffer, 0, HEADER_WORDS);
  header[HEADER_WORD.magic] = MAGIC;
  header[HEADER_WORD.hosts] = hosts;
  return openLedger(buffer);
}

/** The views of what `createLedger` made. @throws PopprobeError ring_mismatch when it is something else. */
export function openLedger(buffer: SharedArrayBuffer): LedgerViews {
  const counts = new Uint32Array(buffer, 0, HEADER_WORDS);
  const hosts = counts[HEADER_WORD.hosts] ?? 0;
  if (counts[HEADER_WORD.magic] !== MAGIC || buffer.byteLength !== ledgerBytes(hosts)) {
    throw new PopprobeError('ring_mismatch', {
      expected: `a ledger of ${hosts} hosts in ${ledgerBytes(hosts)} octets`,
      found: `${buffer.byteLength} octets that begin with ${counts[HEADER_WORD.magic]}`,
      remedy: 'start the lab again; if it stays, its two threads run different versions of popprobe',
    });
  }
  return {
    buffer,
    hosts,
    counts,
    seconds: new Uint32Array(buffer, HEADER_WORDS * BYTES_PER_WORD, BLOCKS),
    values: new Float64Array(buffer, valuesOffset()),
  };
}

/** Doubles of one block. */
export function blockLength(hosts: number): number {
  return ERROR_COUNTS + hosts * hosts * FIELDS;
}

/** Where the block of a second begins in `values`: with its error histogram. */
export function blockStart(hosts: number, second: number): number {
  return (second % BLOCKS) * blockLength(hosts);
}

/** Where the row of a pair begins in its block. */
export function rowOffset(hosts: number, from: number, to: number): number {
  return ERROR_COUNTS + (from * hosts + to) * FIELDS;
}

function valuesOffset(): number {
  return (HEADER_WORDS + BLOCKS) * BYTES_PER_WORD;
}

function ledgerBytes(hosts: number): number {
  return valuesOffset() + BLOCKS * blockLength(hosts) * BYTES_PER_DOUBLE;
}
