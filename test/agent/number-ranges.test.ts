/** Runs of numbers, held against sets of numbers. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countOf, covers, type NumberRange, rangesOf, subtract, union } from '../../src/agent/number-ranges.ts';

const numbers = fc.array(fc.integer({ min: 1, max: 40 }));
const setOf = (ranges: readonly NumberRange[]): number[] =>
  ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
const sorted = (set: Iterable<number>): number[] => [...new Set(set)].sort((a, b) => a - b);

describe('runs of numbers', () => {
  it('are as few as can be, whatever the order of the numbers', () => {
    expect(rangesOf([7, 3, 1, 2, 2, 9, 8])).toEqual([
      [1, 3],
      [7, 9],
    ]);
    expect(rangesOf([])).toEqual([]);
  });

  it('are united and subtracted as sets are, and stay ascending and apart', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const [left, right] = [rangesOf(a), rangesOf(b)];
        const both = union(left, right);
        const rest = subtract(left, right);
        expect(setOf(both)).toEqual(sorted([...a, ...b]));
        expect(setOf(rest)).toEqual(sorted(a.filter((number) => !b.includes(number))));
        expect(countOf(both)).toBe(sorted([...a, ...b]).length);
        expect(rangesOf(setOf(both))).toEqual(both);
        for (let number = 0; number <= 41; number += 1) expect(covers(left, number)).toBe(a.includes(number));
      }),
    );
  });

  it('do not change when others are made of them', () => {
    const [a, b]: NumberRange[][] = [[[1, 2]], [[3, 4]]];
    union(a ?? [], b ?? []);
    subtract(a ?? [], [[2, 2]]);
    expect([a, b]).toEqual([[[1, 2]], [[3, 4]]]);
  });
});
