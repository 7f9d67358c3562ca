/** What declarations leave of a missing range, held against looking at each number alone. */

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DeclaredRange, DeclaredRanges } from '../../src/protocol/declared-ranges.ts';

const range: fc.Arbitrary<DeclaredRange<'x'>> = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.nat(10), fc.integer({ min: 50, max: 60 }))
  .map(([from, length, by]) => ({ from, to: from + length, by, reason: 'x' as const }));

it('is every number once and in order, each declared by a record that declares it', () => {
  fc.assert(
    fc.property(
      fc.array(range, { maxLength: 12 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(20),
      (declared, from, n) => {
        const parts = new DeclaredRanges(declared).split(from, from + n);
        let next = from;
        for (const part of parts) {
          expect(part.from).toBe(next);
          for (let number = part.from; number <= part.to; number += 1) {
            const declaring = declared.filter((one) => one.from <= number && number <= one.to).map(({ by }) => by);
            const isRight = part.declared ? declaring.includes(part.declared.by) : declaring.length === 0;
            expect(isRight).toBe(true);
          }
          next = part.to + 1;
        }
        expect(next).toBe(from + n + 1);
      },
    ),
    { seed: 1, numRuns: 2000 },
  );
});

it('is all of it where nothing is declared', () => {
  expect(new DeclaredRanges([]).split(3, 5)).toEqual([{ from: 3, to: 5, declared: null }]);
});
