/** Outcome counts: the balance, addition and the loss ratio. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addCounts, emptyCounts, lossRatio, type OutcomeCounts, outcomesBalance } from '../../src/stats/outcomes.ts';

const count = fc.nat(1_000_000);

/** Counts of a window in which every due probe has one outcome. */
const balanced: fc.Arbitrary<OutcomeCounts> = fc
  .record({
    received: count,
    lost: count,
    refused: count,
    missed: count,
    void: count,
    late: count,
    unreachable: count,
    corrupt: count,
    duplicate: count,
    reordered: count,
  })
  .map((c) => ({ ...c, due: c.received + c.lost + c.refused + c.missed + c.void }));

describe('outcomesBalance', () => {
  test('holds for the counts of nothing', () => {
    expect(outcomesBalance(emptyCounts())).toBe(true);
  });

  test('notices one probe more or less in any outcome, and in due', () => {
    fc.assert(
      fc.property(
        balanced,
        fc.constantFrom('due', 'received', 'lost', 'refused', 'missed', 'void'),
        fc.constantFrom(-1, 1),
        (counts, outcome, change) => {
          expect(outcomesBalance(counts)).toBe(true);
          expect(outcomesBalance({ ...counts, [outcome]: counts[outcome] + change })).toBe(false);
        },
      ),
    );
  });

  test('leaves the counts beside the outcomes out', () => {
    const counts = { ...emptyCounts(), due: 3, received: 2, lost: 1, late: 1, duplicate: 7, reordered: 5 };
    expect(outcomesBalance(counts)).toBe(true);
  });
});

describe('addCounts', () => {
  test('adds every field, and sums of balanced counts balance', () => {
    fc.assert(
      fc.property(fc.array(balanced), (windows) => {
        const total = emptyCounts();
        for (const window of windows) addCounts(total, window);
        for (const key of Object.keys(total) as (keyof OutcomeCounts)[]) {
          expect(total[key]).toBe(windows.reduce((sum, window) => sum + window[key], 0));
        }
        expect(outcomesBalance(total)).toBe(true);
      }),
    );
  });
});

describe('lossRatio', () => {
  test.each([
    { name: 'nothing measured is no ratio', counts: {}, ratio: null },
    { name: 'probes the host did not send are no loss', counts: { due: 5, refused: 2, missed: 3 }, ratio: null },
    { name: 'void probes are no loss', counts: { due: 4, received: 2, void: 2 }, ratio: 0 },
    { name: 'lost of received and lost', counts: { due: 9, received: 3, lost: 1, refused: 5 }, ratio: 0.25 },
    { name: 'late replies are lost once', counts: { due: 2, received: 1, lost: 1, late: 1 }, ratio: 0.5 },
    { name: 'all lost', counts: { due: 3, lost: 3 }, ratio: 1 },
  ])('$name', ({ counts, ratio }) => {
    expect(lossRatio({ ...emptyCounts(), ...counts })).toBe(ratio);
  });
});
