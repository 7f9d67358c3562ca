/** Packets under way, by when they depart: a binary min-heap of fixed capacity. */

/** Holds an instant and an integer ticket each; those due at the same instant depart in the order in which they came. */
export class Departures {
  readonly #dueNs: Float64Array;
  /** How many had come before, which breaks ties; exact to 2^53. */
  readonly #order: Float64Array;
  readonly #ticket: Int32Array;
  #size = 0;
  #came = 0;

  constructor(capacity: number) {
    this.#dueNs = new Float64Array(capacity);
    this.#order = new Float64Array(capacity);
    this.#ticket = new Int32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** When the next one departs; Infinity when there is none. */
  earliestNs(): number {
    return this.#size > 0 ? (this.#dueNs[0] ?? 0) : Number.POSITIVE_INFINITY;
  }

  /** Returns false when there is no room: then it is not in. The ticket is an integer of 31 bits. */
  push(dueNs: number, ticket: number): boolean {
    if (this.#size === this.#ticket.length) return false;
    const order = this.#came;
    this.#came += 1;
    let at = this.#size;
    this.#size += 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      // What came later only passes what is due later.
      if ((this.#dueNs[parent] ?? 0) <= dueNs) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, dueNs, order, ticket);
    return true;
  }

  /** Takes out the ticket that is due first; -1 when there is none. */
  pop(): number {
    if (this.#size === 0) return -1;
    const first = this.#ticket[0] ?? -1;
    this.#size -= 1;
    this.#sink(this.#size);
    return first;
  }

  /** Puts the one at `last`, which is behind the end now, where it belongs below the root. */
  #sink(last: number): void {
    const dueNs = this.#dueNs[last] ?? 0;
    const order = this.#order[last] ?? 0;
    const ticket = this.#ticket[last] ?? 0;
    let at = 0;
    for (let child = 1; child < this.#size; child = 2 * at + 1) {
      const right = child + 1;
      const first = right < this.#size && this.#isBefore(right, this.#dueNs[child] ?? 0, this.#order[child] ?? 0);
      const earlier = first ? right : child;
      if (!this.#isBefore(earlier, dueNs, order)) break;
      this.#move(earlier, at);
      at = earlier;
    }
    this.#put(at, dueNs, order, ticket);
  }

  #isBefore(at: number, dueNs: number, order: number): boolean {
    const ownNs = this.#dueNs[at] ?? 0;
    return ownNs === dueNs ? (this.#order[at] ?? 0) < order : ownNs < dueNs;
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#dueNs[from] ?? 0, this.#order[from] ?? 0, this.#ticket[from] ?? 0);
  }

  #put(at: number, dueNs: number, order: number, ticket: number): void {
    this.#dueNs[at] = dueNs;
    this.#order[at] = order;
    this.#ticket[at] = ticket;
  }
}
