/** Which way probes were lost, from the sequence numbers of a stateful reflector (RFC 8762 section 4). */

/** Lost probes of one window by direction. */
export interface DirectionFigures {
  /** Never arrived at the reflector. */
  forward: number;
  /** Arrived there; the reply did not come back in time. */
  reverse: number;
  /** Can be told by nobody: duplication, reordering or a restart of the reflector hides it. */
  unresolved: number;
  /** Lost after the newest reply: the next reply, in a later window, tells their direction. Not in the three above. */
  open: number;
  /** Times the reflector began to count anew. */
  restarts: number;
}

/**
 * A number this far below the highest, or above the highest that the probes in between explain, is a reflector that
 * began anew: packets of one path overtake one another by some dozens at most, at a thousand a second.
 */
const DISORDER_MAX = 100;

/** Numbers remembered, to see one come a second time: more than DISORDER_MAX, and a power of two. */
const RECENT = 128;

/** Stretches with losses that a late number can still call into question; older ones are settled. */
const PENDING_MAX = 8;

/** What lies between two neighbouring replies: the number at its end, and how its losses were told apart. */
interface Stretch {
  end: number;
  forward: number;
  reverse: number;
}

/**
 * One path's state, kept across windows. It is fed with the probes that were really sent, in send order; refused and
 * missed ones have a number of ours (docs/decisions/0006) but never left the host, and are not fed.
 *
 * Between two replies a and b the reflector transmitted R(b) - R(a) - 1 replies that did not come: so many probes were
 * lost on the way back, and the rest of the lost ones on the way there.
 */
export class DirectionalLoss {
  readonly #pending: Stretch[] = Array.from({ length: PENDING_MAX }, () => ({ end: 0, forward: 0, reverse: 0 }));
  #pendingCount = 0;
  /** The highest number so far of the reflector's present run, or -1 before its first. */
  #highest = -1;
  /** Lost since the newest reply. */
  #open = 0;
  /** Probes since the newest reply, or before an overtaking one, that may or may not have been answered. */
  #void = 0;
  /** The latest numbers of the run, each at its remainder by RECENT; where none was yet stands one of another place. */
  readonly #recent = new Uint32Array(RECENT);
  #forward = 0;
  #reverse = 0;
  #unresolved = 0;
  #restarts = 0;

  constructor() {
    this.#forgetNumbers();
  }

  /** The next probe sent was lost; a late one too: its number is not known, only that a reply is missing. */
  addLost(): void {
    this.#open += 1;
  }

  /**
   * The next probe sent is void: whether it was answered is not known, so neither is what a gap in the numbers means.
   * It is no loss, and in no figure.
   */
  addVoid(): void {
    this.#void += 1;
  }

  /**
   * The next probe sent was received.
   *
   * @param sequence the reflector's Sequence Number in the first reply, u32.
   */
  addReceived(sequence: number): void {
    const rise = distance(sequence, this.#highest);
    let unsure = 0;
    if (this.#highest < 0) this.#begin(sequence);
    else if (this.#isRestart(sequence, rise)) this.#restart(sequence);
    else if (rise <= 0) unsure = this.#overtook(sequence);
    else this.#advance(sequence, rise - 1);
    this.#recent[sequence % RECENT] = sequence;
    this.#open = 0;
    this.#void = unsure;
  }

  /** The figures since the last call; what is open stays so. */
  take(): DirectionFigures {
    while (this.#pendingCount > 0) this.#settleOldest();
    const figures = {
      forward: this.#forward,
      reverse: this.#reverse,
      unresolved: this.#unresolved,
      open: this.#open,
      restarts: this.#restarts,
    };
    this.#forward = 0;
    this.#reverse = 0;
    this.#unresolved = 0;
    this.#restarts = 0;
    return figures;
  }

  /** The first reply of a run: what was lost before it has no number to be compared with. */
  #begin(sequence: number): void {
    this.#unresolved += this.#open;
    this.#highest = sequence;
  }

  #forgetNumbers(): void {
    for (let at = 0; at < RECENT; at += 1) this.#recent[at] = at + 1;
  }

  /** No run gives a number twice, and none leaps. */
  #isRestart(sequence: number, rise: number): boolean {
    const unexplained = rise - 1 - this.#open - this.#void;
    return rise < -DISORDER_MAX || unexplained > DISORDER_MAX || this.#recent[sequence % RECENT] === sequence;
  }

  #restart(sequence: number): void {
    this.#restarts += 1;
    this.#forgetNumbers();
    while (this.#pendingCount > 0) this.#settleOldest();
    this.#begin(sequence);
  }

  /**
   * A number below the highest: this probe arrived before an earlier one, and took a number that seemed a lost reply's.
   * Returns how many probes between the two may still have a number above the highest.
   */
  #overtook(sequence: number): number {
    this.#unresolved += this.#open;
    while (this.#pendingCount > 0) {
      const newest = this.#pending[this.#pendingCount - 1];
      if (!newest || distance(newest.end, sequence) <= 0) break;
      this.#unresolved += newest.forward + newest.reverse;
      this.#pendingCount -= 1;
    }
    return this.#open + this.#void;
  }

  /** A number above the highest, after `reverse` numbers whose replies did not come. */
  #advance(sequence: number, reverse: number): void {
    this.#highest = sequence;
    const forward = this.#open - reverse;
    // More replies missing than probes lost: one was duplicated on the way there, or a later probe overtook.
    if (this.#void > 0 || forward < 0) this.#unresolved += this.#open;
    else if (this.#open > 0) this.#push(sequence, forward, reverse);
  }

  #push(end: number, forward: number, reverse: number): void {
    if (this.#pendingCount === PENDING_MAX) this.#settleOldest();
    const stretch = this.#pending[this.#pendingCount];
    if (!stretch) return;
    stretch.end = end;
    stretch.forward = forward;
    stretch.reverse = reverse;
    this.#pendingCount += 1;
  }

  #settleOldest(): void {
    const oldest = this.#pending[0];
    if (!oldest) return;
    this.#forward += oldest.forward;
    this.#reverse += oldest.reverse;
    this.#pending.copyWithin(0, 1);
    this.#pending[PENDING_MAX - 1] = oldest;
    this.#pendingCount -= 1;
  }
}

/** `a - b` of two u32 counters, right across their wrap as long as they lie within 2^31. */
function distance(a: number, b: number): number {
  return (a - b) | 0;
}
