/** Files replies into the ring: in time, late, copy or reordered, with the stamps that count. */

import type { Clock } from '../base/clock.ts';
import type { Counters } from '../ring/counters.ts';
import { PATH_WORD, SLOT_FLAG, SLOT_STATE } from '../ring/layout.ts';
import type { RingWriter } from '../ring/writer.ts';
import { offenderNumber } from '../ring/offenders.ts';
import type { Stamp } from '../base/units.ts';
import { isPtpFormat, isSynchronised, isValidEstimate } from '../wire/error-estimate.ts';
import { differenceNs } from '../wire/ntp-time.ts';
import type { ReflectorPacket } from '../wire/stamp.ts';
import type { EngineCounter } from './health.ts';
import type { StepWatch } from './step-watch.ts';
import type { Datagram, IcmpError } from './transport.ts';

/** Words of a path's row. */
const WORD = {
  /** The next sequence number expected to arrive (NextExp of RFC 4737 section 3.3). */
  nextExpected: 0,
  /** Slot of the reply filed last and of the one before, -1 before any. */
  lastSlot: 1,
  slotBefore: 2,
} as const;
const ROW_WORDS = 4;

export class Arrivals {
  readonly #ring: RingWriter;
  readonly #tmaxNs: number;
  readonly #clock: Clock;
  readonly #steps: StepWatch;
  readonly #counters: Counters<EngineCounter>;
  /** A row of `WORD` for each path. */
  readonly #rows: Int32Array;
  /** One word: what this host says of its clock, an Error Estimate. */
  readonly #estimate: Int32Array;

  constructor(
    ring: RingWriter,
    tmaxNs: number,
    clock: Clock,
    steps: StepWatch,
    counters: Counters<EngineCounter>,
    estimate: Int32Array,
  ) {
    this.#ring = ring;
    this.#tmaxNs = tmaxNs;
    this.#clock = clock;
    this.#steps = steps;
    this.#counters = counters;
    this.#estimate = estimate;
    this.#rows = new Int32Array(ring.views.paths * ROW_WORDS).fill(-1);
    for (let path = 0; path < ring.views.paths; path += 1) this.#rows[place(path, WORD.nextExpected)] = ring.head(path);
  }

  /** Goes on where another one was: `kept` has for each path the number that it had there, or -1. */
  continue(other: Arrivals, kept: readonly number[]): void {
    for (const [path, old] of kept.entries()) {
      if (old < 0) continue;
      this.#rows[place(path, WORD.nextExpected)] = other.#rows[place(old, WORD.nextExpected)] ?? 0;
      for (const word of [WORD.lastSlot, WORD.slotBefore]) {
        const slot = other.#rows[place(old, word)] ?? -1;
        const moved = slot - other.#ring.slotOf(old, 0) + this.#ring.slotOf(path, 0);
        this.#rows[place(path, word)] = slot < 0 ? -1 : moved;
      }
    }
  }

  /**
   * Files a reply whose session and source have been checked. The copy of T1 that came back must be the one the slot
   * remembers: it tells a reply to this probe from one to a probe of an earlier run with the same number.
   * `reflected` brings T2, T3 and the reflector's sequence number of a STAMP reply. Returns whether it was the first reply
   * to a probe of a window that is still open: what else the reply says counts only then.
   */
  file(
    path: number,
    sequence: number,
    t1: { seconds: number; nanoseconds: number },
    datagram: Datagram,
    reflected: ReflectorPacket | null,
  ): boolean {
    const slot = this.#ring.slotOf(path, sequence);
    if (!this.#isProbe(path, slot, sequence, t1)) {
      this.#counters.add('reply_unknown_probe');
      return false;
    }
    const roundTripNs = this.#roundTripNs(slot, datagram);
    const fate = this.#ring.fateOfReply(path, slot, sequence, this.#isInTime(slot, roundTripNs));
    if (fate === 'duplicate') this.#ring.duplicate(slot);
    else if (fate === 'unknown') this.#counters.add('reply_unknown_probe');
    if (fate !== 'first' && fate !== 'late') return false;
    if (Number.isNaN(roundTripNs)) this.#ring.flag(slot, SLOT_FLAG.delayVoid);
    this.#store(path, slot, sequence, datagram, reflected, fate);
    return true;
  }

  /** A reply to this probe came, damaged on the way: the probe is lost, and it is known how. */
  fileCorrupt(path: number, sequence: number, t1: { seconds: number; nanoseconds: number }): void {
    const slot = this.#ring.slotOf(path, sequence);
    if (this.#isProbe(path, slot, sequence, t1)) this.#ring.flag(slot, SLOT_FLAG.corrupt);
  }

  /** The DSCP with which the path's newest probe arrived at the reflector, beside the one it was sent with. */
  fileDscp(path: number, sent: number, arrived: number): void {
    if (arrived !== sent) this.#ring.count(path, PATH_WORD.forwardRemarked);
  }

  /** The octet of DSCP and ECN that the path's newest reply arrived with, -1 when unknown, beside the DSCP of the probe. */
  fileReplyTos(path: number, sent: number, tos: number): void {
    if (tos >= 0 && tos >> 2 !== sent) this.#ring.count(path, PATH_WORD.reverseRemarked);
  }

  /** The reflector's counts of the session's packets (Direct Measurement). */
  fileCounters(path: number, received: number, sent: number): void {
    this.#ring.set(path, PATH_WORD.reflectorReceived, received);
    this.#ring.set(path, PATH_WORD.reflectorSent, sent);
  }

  /** When the path's reply before the newest one really left the reflector: its T3 was read before it was sent. */
  followUp(path: number, reflectorSequence: number, sent: Stamp): void {
    const { views } = this.#ring;
    const slot = this.#rows[place(path, WORD.slotBefore)] ?? -1;
    if (slot < 0 || views.reflectorSequence[slot] !== reflectorSequence) return;
    const laterNs = differenceNs(
      sent.seconds,
      sent.nanoseconds,
      views.t3Seconds[slot] ?? 0,
      views.t3Nanoseconds[slot] ?? 0,
    );
    if (laterNs < 0 || laterNs > this.#tmaxNs) return;
    views.t3Seconds[slot] = sent.seconds;
    views.t3Nanoseconds[slot] = sent.nanoseconds;
    this.#ring.flag(slot, SLOT_FLAG.followedUp);
  }

  /** Whether the slot is this very probe's: its number could be an earlier run's, its T1 could not. */
  #isProbe(path: number, slot: number, sequence: number, t1: { seconds: number; nanoseconds: number }): boolean {
    const { views } = this.#ring;
    return (
      this.#ring.owns(path, slot, sequence) &&
      views.t1Seconds[slot] === t1.seconds &&
      views.t1Nanoseconds[slot] === t1.nanoseconds
    );
  }

  /** Marks the probe that an ICMP error names; if no reply comes after all, it is lost because unreachable. */
  fileUnreachable(path: number, sequence: number, error: IcmpError): void {
    const slot = this.#ring.slotOf(path, sequence);
    const isOut = this.#ring.owns(path, slot, sequence) && this.#ring.views.state[slot] === SLOT_STATE.sent;
    if (isOut) this.#markUnreachable(slot, error);
  }

  /**
   * An ICMP error that quotes too little to name its probe, only the path. Where all probes meet the same fate, the oldest
   * that is out is the one; if its reply comes after all, the error passes on to the next oldest.
   * Returns false when none is out.
   */
  fileUnreachablePath(path: number, error: IcmpError): boolean {
    const slot = this.#oldestOut(path);
    if (slot < 0) return false;
    this.#markUnreachable(slot, error);
    this.#ring.flag(slot, SLOT_FLAG.guessed);
    return true;
  }

  #oldestOut(path: number): number {
    return this.#ring.oldestOut(path, this.#clock.monoNs - this.#tmaxNs);
  }

  /** The number of the path's newest probe that ends in these 16 bits: an ICMP header has no more of it. */
  sequenceEndingIn(path: number, low: number): number {
    const newest = (this.#ring.head(path) - 1) >>> 0;
    return (newest - ((newest - low) & 0xffff)) >>> 0;
  }

  #markUnreachable(slot: number, error: IcmpError): void {
    const { address, addressBytes } = error.offender;
    const number = offenderNumber(this.#ring.views, address, addressBytes);
    this.#ring.unreachable(slot, error.type, error.code, number);
  }

  #store(
    path: number,
    slot: number,
    sequence: number,
    datagram: Datagram,
    reflected: ReflectorPacket | null,
    fate: 'first' | 'late',
  ): void {
    const { views } = this.#ring;
    // Looked for while this probe is still out and marked, so that it is not found itself.
    if (this.#ring.isGuessed(slot)) this.#ring.passError(slot, this.#oldestOut(path));
    views.t4Seconds[slot] = datagram.stamped ? datagram.seconds : this.#clock.wallSeconds;
    views.t4Nanoseconds[slot] = datagram.stamped ? datagram.nanoseconds : this.#clock.wallNanoseconds;
    if (datagram.stamped) this.#ring.flag(slot, datagram.stampSource << SLOT_FLAG.rxSourceShift);
    views.replyTtl[slot] = Math.max(0, datagram.ttl);
    if (reflected) {
      views.t2Seconds[slot] = reflected.t2.seconds;
      views.t2Nanoseconds[slot] = reflected.t2.nanoseconds;
      views.t3Seconds[slot] = reflected.t3.seconds;
      views.t3Nanoseconds[slot] = reflected.t3.nanoseconds;
      views.reflectorSequence[slot] = reflected.sequence;
      views.senderTtl[slot] = reflected.senderTtl;
      this.#ring.set(path, PATH_WORD.errorEstimate, reflected.errorEstimate);
      if (this.#areSynchronised(reflected.errorEstimate)) this.#ring.flag(slot, SLOT_FLAG.synchronised);
      this.#rows[place(path, WORD.slotBefore)] = this.#rows[place(path, WORD.lastSlot)] ?? -1;
      this.#rows[place(path, WORD.lastSlot)] = slot;
    }
    this.#order(path, slot, sequence);
    if (fate === 'first') this.#ring.received(slot);
    else this.#ring.late(slot);
  }

  /** Whether differences between our stamps and the reflector's mean anything: both clocks vouched for, one timescale. */
  #areSynchronised(reflectorEstimate: number): boolean {
    const isUsable = isValidEstimate(reflectorEstimate) && !isPtpFormat(reflectorEstimate);
    return isUsable && isSynchronised(reflectorEstimate) && isSynchronised(this.#estimate[0] ?? 0);
  }

  /** Reordered is a reply that arrives after the reply to a later probe; numbers are compared modulo 2^32. */
  #order(path: number, slot: number, sequence: number): void {
    const nextExpected = place(path, WORD.nextExpected);
    const behind = (sequence - (this.#rows[nextExpected] ?? 0)) | 0;
    if (behind < 0) this.#ring.flag(slot, SLOT_FLAG.reordered);
    else this.#rows[nextExpected] = sequence + 1;
  }

  /** By the kernel's stamps, so that our own delay in reading does not count; by our own clock after a clock step. */
  #isInTime(slot: number, roundTripNs: number): boolean {
    const elapsedNs = this.#clock.monoNs - (this.#ring.views.dueNs[slot] ?? 0);
    return (Number.isNaN(roundTripNs) ? elapsedNs : roundTripNs) <= this.#tmaxNs;
  }

  /** Between the stamps of the slot's probe and of this reply; NaN when a stepped clock leaves none that means anything. */
  #roundTripNs(slot: number, datagram: Datagram): number {
    const { views } = this.#ring;
    if (this.#steps.lastStepAtNs >= (views.dueNs[slot] ?? 0)) return Number.NaN;
    const seconds = datagram.stamped ? datagram.seconds : this.#clock.wallSeconds;
    const nanoseconds = datagram.stamped ? datagram.nanoseconds : this.#clock.wallNanoseconds;
    const sinceT1Ns = differenceNs(seconds, nanoseconds, views.t1Seconds[slot] ?? 0, views.t1Nanoseconds[slot] ?? 0);
    const roundTripNs = sinceT1Ns - (views.txDeltaNs[slot] ?? 0);
    return roundTripNs >= 0 ? roundTripNs : Number.NaN;
  }
}

/** Index of a word of a path's row. */
function place(path: number, word: number): number {
  return path * ROW_WORDS + word;
}
