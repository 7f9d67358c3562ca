/** Ranges of whole numbers that records of a chain declare: documents that the PoP gave up, or seconds it has no document of. */

/** `from` to `to`, both included, declared by the record with number `by`. */
export interface DeclaredRange<Reason extends string> {
  readonly from: number;
  readonly to: number;
  readonly by: number;
  readonly reason: Reason;
}

/** A part of what is missing: all of it is declared by one record, or by none. */
export interface MissingRange<Reason extends string> {
  readonly from: number;
  readonly to: number;
  readonly declared: Pick<DeclaredRange<Reason>, 'by' | 'reason'> | null;
}

/** Any number of declarations, of which several may be about one thing: an agent may declare it twice. */
export class DeclaredRanges<Reason extends string> {
  /** Ascending, without overlap. */
  readonly #ranges: readonly DeclaredRange<Reason>[];

  constructor(declared: Iterable<DeclaredRange<Reason>>) {
    const ranges: DeclaredRange<Reason>[] = [];
    let end = 0;
    for (const range of [...declared].sort((a, b) => a.from - b.from || a.by - b.by)) {
      if (range.to <= end) continue;
      ranges.push({ ...range, from: Math.max(range.from, end + 1) });
      end = range.to;
    }
    this.#ranges = ranges;
  }

  /** What is missing, `from` to `to`, in parts by who declares them. */
  split(from: number, to: number): MissingRange<Reason>[] {
    const parts: MissingRange<Reason>[] = [];
    let next = from;
    for (let index = this.#firstReaching(from); index < this.#ranges.length; index += 1) {
      const range = this.#ranges[index];
      if (range === undefined || range.from > to) break;
      if (range.from > next) parts.push({ from: next, to: range.from - 1, declared: null });
      const { by, reason } = range;
      const last = Math.min(range.to, to);
      parts.push({ from: Math.max(range.from, next), to: last, declared: { by, reason } });
      next = last + 1;
    }
    if (next <= to) parts.push({ from: next, to, declared: null });
    return parts;
  }

  /** Index of the first range that ends at `number` or behind it. */
  #firstReaching(number: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.to ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
