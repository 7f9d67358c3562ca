/** The probing thread's side of the ring: opens slots, fills them, and allocates nothing while doing so. */

import { PATH_WORD, type RingViews, SLOT_FLAG, SLOT_STATE, STAMP_SOURCE, tableIndex } from './layout.ts';

/** What happened to a reply that was offered to a slot. */
export type ReplyFate = 'first' | 'late' | 'duplicate' | 'straggler' | 'unknown';

export class RingWriter {
  readonly views: RingViews;

  constructor(views: RingViews) {
    this.views = views;
  }

  /**
   * Opens the next slot of a path for a probe that fell due, before anything is sent, so that no reply can race it. What
   * only a reply, an error or a refusal gives the slot stays an older probe's until then.
   * Returns the slot number. Overwriting a slot that the reader has not sealed is counted in the path table.
   */
  open(path: number, dueNs: number): number {
    const { table, sequence, state, flags, duplicates } = this.views;
    const capacity = table[tableIndex(path, PATH_WORD.capacity)] ?? 1;
    const head = (table[tableIndex(path, PATH_WORD.head)] ?? 0) >>> 0;
    if (this.#isFull(path, head, capacity)) Atomics.add(table, tableIndex(path, PATH_WORD.overwritten), 1);
    const slot = this.slotOf(path, head);
    state[slot] = SLOT_STATE.due;
    sequence[slot] = head;
    this.views.dueNs[slot] = dueNs;
    this.views.txDeltaNs[slot] = 0;
    flags[slot] = 0;
    duplicates[slot] = 0;
    Atomics.store(table, tableIndex(path, PATH_WORD.head), (head + 1) | 0);
    return slot;
  }

  /** Whether the path's next slot holds a probe that is not sealed yet. What is sealed stays so: an old number will do. */
  #isFull(path: number, head: number, capacity: number): boolean {
    const { table } = this.views;
    const sealed = tableIndex(path, PATH_WORD.sealed);
    if ((head - (table[sealed] ?? 0)) >>> 0 < capacity) return false;
    return (head - Atomics.load(table, sealed)) >>> 0 >= capacity;
  }

  /**
   * Declares that every probe which fell due before `ns` has been opened, every reply that came before it filed, and every
   * probe marked whose reply this host may have lost itself.
   */
  advanceHorizon(ns: number): void {
    this.views.horizonNs[0] = ns;
  }

  /** Slots of the path. */
  capacity(path: number): number {
    return this.views.table[tableIndex(path, PATH_WORD.capacity)] ?? 1;
  }

  /** Sequence number of the path's next probe. */
  head(path: number): number {
    return (this.views.table[tableIndex(path, PATH_WORD.head)] ?? 0) >>> 0;
  }

  /** The slot of a path's probe; the caller checks that the probe still owns it. */
  slotOf(path: number, sequence: number): number {
    const { table } = this.views;
    const capacity = table[tableIndex(path, PATH_WORD.capacity)] ?? 1;
    return (table[tableIndex(path, PATH_WORD.first)] ?? 0) + (sequence & (capacity - 1));
  }

  /** The path that a slot belongs to. */
  pathOf(slot: number): number {
    let low = 0;
    let high = this.views.paths - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.views.table[tableIndex(middle, PATH_WORD.first)] ?? 0) <= slot) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Whether the slot belongs to this probe of this path: it was opened, and not overwritten since. */
  owns(path: number, slot: number, sequence: number): boolean {
    const { table, state } = this.views;
    const head = (table[tableIndex(path, PATH_WORD.head)] ?? 0) >>> 0;
    return (
      (head - sequence - 1) >>> 0 < 0x8000_0000 &&
      this.views.sequence[slot] === sequence &&
      state[slot] !== SLOT_STATE.empty
    );
  }

  /** Remembers the T1 that stands in the packet. */
  stampT1(slot: number, seconds: number, nanoseconds: number): void {
    this.views.t1Seconds[slot] = seconds;
    this.views.t1Nanoseconds[slot] = nanoseconds;
  }

  sent(slot: number): void {
    Atomics.store(this.views.state, slot, SLOT_STATE.sent);
  }

  refused(slot: number, errno: number): void {
    this.views.errno[slot] = errno;
    Atomics.store(this.views.state, slot, SLOT_STATE.refused);
  }

  isSent(slot: number): boolean {
    return this.views.state[slot] === SLOT_STATE.sent;
  }

  /** The probe went out, and nothing can be said of it. */
  void(slot: number): void {
    Atomics.store(this.views.state, slot, SLOT_STATE.void);
  }

  missed(slot: number): void {
    Atomics.store(this.views.state, slot, SLOT_STATE.missed);
  }

  /** A TX stamp: its distance from the user-space T1 in ns, and where it was taken. */
  txStamp(slot: number, deltaNs: number, source: number): void {
    const { flags } = this.views;
    this.views.txDeltaNs[slot] = deltaNs;
    flags[slot] = (flags[slot] ?? 0) | (source << SLOT_FLAG.txSourceShift);
  }

  hasTxStamp(slot: number): boolean {
    return ((this.views.flags[slot] ?? 0) & SLOT_FLAG.sourceMask) !== STAMP_SOURCE.user;
  }

  flag(slot: number, bit: number): void {
    const { flags } = this.views;
    flags[slot] = (flags[slot] ?? 0) | bit;
  }

  /** The probe is lost because of an ICMP error, unless a reply comes after all. */
  unreachable(slot: number, icmpType: number, icmpCode: number, offender: number): void {
    this.views.icmpType[slot] = icmpType;
    this.views.icmpCode[slot] = icmpCode;
    this.views.offender[slot] = offender;
    this.flag(slot, SLOT_FLAG.unreachable);
  }

  /**
   * A reply came to a probe that an ICMP error was guessed to be about: the error is another probe's, `next`, or nobody's
   * any more when that is -1.
   */
  passError(slot: number, next: number): void {
    const { flags, icmpType, icmpCode, offender } = this.views;
    flags[slot] = (flags[slot] ?? 0) & ~(SLOT_FLAG.unreachable | SLOT_FLAG.guessed);
    if (next < 0) return;
    this.unreachable(next, icmpType[slot] ?? 0, icmpCode[slot] ?? 0, offender[slot] ?? 0);
    this.flag(next, SLOT_FLAG.guessed);
  }

  /** Whether the slot's ICMP error named only its path. */
  isGuessed(slot: number): boolean {
    return ((this.views.flags[slot] ?? 0) & SLOT_FLAG.guessed) !== 0;
  }

  /** Marks the path's probes that are out and fell due since `sinceNs`: nothing follows from their silence any more. */
  blind(path: number, sinceNs: number): void {
    const { table, dueNs, state } = this.views;
    const capacity = table[tableIndex(path, PATH_WORD.capacity)] ?? 1;
    const head = (table[tableIndex(path, PATH_WORD.head)] ?? 0) >>> 0;
    for (let back = 1; back <= capacity; back += 1) {
      const slot = this.slotOf(path, head - back);
      if (state[slot] === SLOT_STATE.empty || (dueNs[slot] ?? 0) < sinceNs) return;
      if (state[slot] === SLOT_STATE.sent) this.flag(slot, SLOT_FLAG.blind);
    }
  }

  /** The oldest probe of the path that is out, fell due since `sinceNs` and has had no ICMP error; its slot, or -1. */
  oldestOut(path: number, sinceNs: number): number {
    const { table, dueNs, state, flags } = this.views;
    const capacity = table[tableIndex(path, PATH_WORD.capacity)] ?? 1;
    const head = this.head(path);
    let oldest = -1;
    for (let back = 1; back <= capacity; back += 1) {
      const slot = this.slotOf(path, head - back);
      if (state[slot] === SLOT_STATE.empty || (dueNs[slot] ?? 0) < sinceNs) break;
      if (state[slot] === SLOT_STATE.sent && ((flags[slot] ?? 0) & SLOT_FLAG.unreachable) === 0) oldest = slot;
    }
    return oldest;
  }

  /** Adds to a counter of the path table. */
  count(path: number, word: number): void {
    const at = tableIndex(path, word);
    this.views.table[at] = ((this.views.table[at] ?? 0) + 1) | 0;
  }

  /** Sets a word of the path table. */
  set(path: number, word: number, value: number): void {
    this.views.table[tableIndex(path, word)] = value | 0;
  }

  /**
   * Decides what a reply to an owned slot is, before its stamps are stored: the first one in time, one after Tmax, a
   * copy, or something for a window that is already sealed.
   */
  fateOfReply(path: number, slot: number, sequence: number, withinTmax: boolean): ReplyFate {
    const { table, state } = this.views;
    const sealed = Atomics.load(table, tableIndex(path, PATH_WORD.sealed)) >>> 0;
    if ((sealed - sequence - 1) >>> 0 < 0x8000_0000) {
      Atomics.add(table, tableIndex(path, PATH_WORD.stragglers), 1);
      return 'straggler';
    }
    switch (state[slot]) {
      case SLOT_STATE.sent:
        return withinTmax ? 'first' : 'late';
      case SLOT_STATE.received:
      case SLOT_STATE.late:
        return 'duplicate';
      default:
        return 'unknown';
    }
  }

  /** Publishes the first reply; its stamps are stored before. */
  received(slot: number): void {
    Atomics.store(this.views.state, slot, SLOT_STATE.received);
  }

  late(slot: number): void {
    Atomics.store(this.views.state, slot, SLOT_STATE.late);
  }

  duplicate(slot: number): void {
    const { duplicates } = this.views;
    duplicates[slot] = Math.min(255, (duplicates[slot] ?? 0) + 1);
  }
}
