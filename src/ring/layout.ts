/**
 * The shared-memory contract of the ring: what lies where, asserted by both sides.
 *
 * ```text
 *   header      14 words  magic, version, paths, slots, offenders, 9 spare: with the horizon as long as a row of the table
 *   horizon     1 double  every probe that fell due before this instant has its slot, and every reply that came before
 *                         it has been filed (ns on CLOCK_MONOTONIC)
 *   path table  16 words each, see PATH_WORD: a row is one line of the cache
 *   slots       structure of arrays over all slots; a path owns `capacity` neighbouring slots of each array,
 *               a probe owns the slot `first + (sequence mod capacity)`
 *   offenders   who sent ICMP errors: 256 lengths of one octet, 256 addresses of 16; number 0 is nobody known
 * ```
 *
 * One writer (the probing thread), one reader (the main thread). A slot is filled first and published after, by an
 * atomic store of the path's head (for a new probe) or of the slot's state (for everything later).
 */

import { PopprobeError } from '../base/errors.ts';

const MAGIC = 0x70726e67;
const VERSION = 3;
const HEADER_WORDS = 14;
const HORIZON_BYTES = 8;
const PATH_WORDS = 16;
const OFFENDER_COUNT_WORD = 4;

/** Distinct senders of ICMP errors that are remembered, number 0 excluded; slots hold the number in 8 bits. */
const OFFENDERS = 256;
const OFFENDER_BYTES = 16;

/**
 * Words of the path table. `first` and `capacity` never change; `sealed` is the reader's, everything else the writer's.
 * Counters are cumulative, modulo 2^32.
 */
export const PATH_WORD = {
  first: 0,
  capacity: 1,
  head: 2,
  sealed: 3,
  /** Replies to probes of windows that are sealed: late beyond all waiting, or copies. */
  stragglers: 4,
  overwritten: 5,
  /** The Error Estimate of the newest reply, as 16 bits: what the reflector says of its clock. */
  errorEstimate: 6,
  /** Replies whose Class of Service TLV says that the probe arrived with another DSCP than it was sent with. */
  forwardRemarked: 7,
  /** Replies that arrived with another DSCP than the probe was sent with. */
  reverseRemarked: 8,
  /** The newest counters of the Direct Measurement TLV: packets the reflector received and sent in the session. */
  reflectorReceived: 9,
  reflectorSent: 10,
} as const;

/** What became of a slot; what it counts as is decided by `outcomeOf` when the window is sealed. */
export const SLOT_STATE = { empty: 0, due: 1, sent: 2, received: 3, late: 4, refused: 5, missed: 6, void: 7 } as const;

/** Bits of a slot's flags. Stamp sources: 0 user space, 1 kernel, 2 hardware. */
export const SLOT_FLAG = {
  txSourceShift: 0,
  rxSourceShift: 2,
  sourceMask: 3,
  unreachable: 1 << 4,
  reordered: 1 << 5,
  /** The clock was stepped while the probe was out: it arrived, but its delay means nothing. */
  delayVoid: 1 << 6,
  /** While the probe was out, this host lost received datagrams or was suspended: silence says nothing. */
  blind: 1 << 7,
  /** A reply came, damaged on the way. */
  corrupt: 1 << 8,
  /** Both ends' clocks were synchronised when the reply came: one-way delays mean something. */
  synchronised: 1 << 9,
  /** T3 is the time at which the packet left the reflector, told by the next reply (Follow-Up Telemetry). */
  followedUp: 1 << 10,
  /** The ICMP error named only the path: it may be about a younger probe. */
  guessed: 1 << 11,
} as const;

/** Where a stamp was taken. */
export const STAMP_SOURCE = { user: 0, kernel: 1, hardware: 2 } as const;

/** Octets of shared memory per slot; the sum of the arrays of `RingViews`. */
export const SLOT_BYTES = 62;

/**
 * Typed views into the shared memory. Slot arrays are indexed by slot number; instants are Unix seconds and
 * nanoseconds (CLOCK_REALTIME), or as the reflector sent them (T2, T3).
 */
export interface RingViews {
  readonly buffer: SharedArrayBuffer;
  readonly paths: number;
  readonly slots: number;
  /** Path table, `PATH_WORDS` words a path. */
  readonly table: Int32Array;
  /** One double, see above. */
  readonly horizonNs: Float64Array;
  /** When the probe fell due, ns on CLOCK_MONOTONIC. */
  readonly dueNs: Float64Array;
  readonly sequence: Uint32Array;
  /** User-space T1, as it stands in the packet. */
  readonly t1Seconds: Uint32Array;
  readonly t1Nanoseconds: Uint32Array;
  /** Kernel TX stamp minus user-space T1, ns; 0 while there is none. */
  readonly txDeltaNs: Int32Array;
  readonly t2Seconds: Uint32Array;
  readonly t2Nanoseconds: Uint32Array;
  readonly t3Seconds: Uint32Array;
  readonly t3Nanoseconds: Uint32Array;
  readonly t4Seconds: Uint32Array;
  readonly t4Nanoseconds: Uint32Array;
  /** The reflector's own sequence number in the reply. */
  readonly reflectorSequence: Uint32Array;
  readonly flags: Uint16Array;
  readonly state: Uint8Array;
  /** errno of a refused probe. */
  readonly errno: Uint8Array;
  /** Replies beyond the first, saturating at 255. */
  readonly duplicates: Uint8Array;
  /** TTL or hop limit with which the probe reached the reflector, as its reply says; 0 where it does not. */
  readonly senderTtl: Uint8Array;
  /** TTL or hop limit with which the reply arrived; 0 where the kernel does not say. */
  readonly replyTtl: Uint8Array;
  /** Of an unreachable probe: type and code of the ICMP error, and the number of who sent it. */
  readonly icmpType: Uint8Array;
  readonly icmpCode: Uint8Array;
  readonly offender: Uint8Array;
  /** How many offenders there are, number 0 included. */
  readonly offenderCount: Int32Array;
  /** Octets of each offender's address, 4 or 16. */
  readonly offenderBytes: Uint8Array;
  /** Offender n has its address at 16 n. */
  readonly offenderAddresses: Uint8Array;
}

/**
 * Slots for one path: the smallest power of two that covers two windows and Tmax, so that reading never races. A Poisson
 * schedule may bring more probes than its mean: six standard deviations make a window that does rarer than a bad disk.
 */
export function slotsFor(windowS: number, tmaxMs: number, intervalMs: number, isPoisson = false): number {
  const mean = (2 * windowS * 1000 + tmaxMs) / intervalMs + 2;
  const needed = isPoisson ? mean + 6 * Math.sqrt(mean) + 16 : mean;
  return 2 ** Math.ceil(Math.log2(needed));
}

/** Makes the shared memory for paths with these capacities (powers of two). */
export function createRing(capacities: readonly number[]): RingViews {
  const slots = capacities.reduce((sum, capacity) => sum + capacity, 0);
  const buffer = new SharedArrayBuffer(ringBytes(capacities.length, slots));
  const header = new Int32Array(buffer, 0, HEADER_WORDS);
  header.set([MAGIC, VERSION, capacities.length, slots, 1]);
  const views = openRing(buffer);
  let first = 0;
  for (const [path, capacity] of capacities.entries()) {
    if (capacity < 1 || !Number.isInteger(Math.log2(capacity)))
      throw mismatch('capacities that are powers of two', capacity);
    views.table[path * PATH_WORDS + PATH_WORD.first] = first;
    views.table[path * PATH_WORDS + PATH_WORD.capacity] = capacity;
    first += capacity;
  }
  return views;
}

/** Opens shared memory made by `createRing`, in this or another thread. Throws ring_mismatch when it is something else. */
export function openRing(buffer: SharedArrayBuffer): RingViews {
  const header = new Int32Array(buffer, 0, HEADER_WORDS);
  const [magic, version, paths = 0, slots = 0] = header;
  if (magic !== MAGIC) throw mismatch(`magic ${MAGIC}`, magic);
  if (version !== VERSION) throw mismatch(`layout version ${VERSION}`, version);
  const bytes = ringBytes(paths, slots);
  if (buffer.byteLength !== bytes)
    throw mismatch(`${bytes} octets for ${paths} paths and ${slots} slots`, buffer.byteLength);
  let at = slotsOffset(paths);
  const take = (bytesPerSlot: number): number => {
    const offset = at;
    at += bytesPerSlot * slots;
    return offset;
  };
  const u32 = (): Uint32Array => new Uint32Array(buffer, take(4), slots);
  const u8 = (): Uint8Array => new Uint8Array(buffer, take(1), slots);
  const offenders = slotsOffset(paths) + slots * SLOT_BYTES;
  return {
    buffer,
    paths,
    slots,
    horizonNs: new Float64Array(buffer, HEADER_WORDS * 4, 1),
    table: new Int32Array(buffer, HEADER_WORDS * 4 + HORIZON_BYTES, paths * PATH_WORDS),
    dueNs: new Float64Array(buffer, take(8), slots),
    sequence: u32(),
    t1Seconds: u32(),
    t1Nanoseconds: u32(),
    txDeltaNs: new Int32Array(buffer, take(4), slots),
    t2Seconds: u32(),
    t2Nanoseconds: u32(),
    t3Seconds: u32(),
    t3Nanoseconds: u32(),
    t4Seconds: u32(),
    t4Nanoseconds: u32(),
    reflectorSequence: u32(),
    flags: new Uint16Array(buffer, take(2), slots),
    state: u8(),
    errno: u8(),
    duplicates: u8(),
    senderTtl: u8(),
    replyTtl: u8(),
    icmpType: u8(),
    icmpCode: u8(),
    offender: u8(),
    offenderCount: header.subarray(OFFENDER_COUNT_WORD, OFFENDER_COUNT_WORD + 1),
    offenderBytes: new Uint8Array(buffer, offenders, OFFENDERS),
    offenderAddresses: new Uint8Array(buffer, offenders + OFFENDERS, OFFENDERS * OFFENDER_BYTES),
  };
}

/** Index of a word of a path's row in the table. */
export function tableIndex(path: number, word: number): number {
  return path * PATH_WORDS + word;
}

/** A multiple of 8, for the doubles that come first. */
function slotsOffset(paths: number): number {
  return HEADER_WORDS * 4 + HORIZON_BYTES + paths * PATH_WORDS * 4;
}

function ringBytes(paths: number, slots: number): number {
  return slotsOffset(paths) + slots * SLOT_BYTES + OFFENDERS * (1 + OFFENDER_BYTES);
}

function mismatch(expected: string, found: unknown): PopprobeError {
  return new PopprobeError('ring_mismatch', {
    expected,
    found: String(found),
    remedy: 'restart the agent; if it stays, the two threads run different versions of popprobe',
  });
}
