/** Sets of sequence numbers as runs: first and last of each, ascending, never adjacent. */

export type NumberRange = [first: number, last: number];

/** The runs that these numbers make, in whatever order they come. */
export function rangesOf(numbers: Iterable<number>): NumberRange[] {
  const runs: NumberRange[] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    // Numbers mostly come in their order: very many of them are few runs at every moment.
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else runs.push([number, number]);
  }
  return union([], runs);
}

/** What is in either. `b` may be in any order. */
export function union(a: readonly NumberRange[], b: readonly NumberRange[]): NumberRange[] {
  const joined: NumberRange[] = [];
  for (const [first, last] of [...a, ...b].sort((x, y) => x[0] - y[0])) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** What is in `from` and not in `removed`. */
export function subtract(from: readonly NumberRange[], removed: readonly NumberRange[]): NumberRange[] {
  return from.flatMap(([first, last]) => {
    const left: NumberRange[] = [];
    let next = first;
    for (const [start, end] of removed) {
      if (end < next || start > last) continue;
      if (start > next) left.push([next, start - 1]);
      next = end + 1;
    }
    if (next <= last) left.push([next, last]);
    return left;
  });
}

/** How many numbers there are in all runs. */
export function countOf(ranges: readonly NumberRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** Whether the number is in one of the runs. */
export function covers(ranges: readonly NumberRange[], number: number): boolean {
  return ranges.some(([first, last]) => first <= number && number <= last);
}
