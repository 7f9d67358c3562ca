/** Seconds: good, bad, unknown, the exact threshold and the edges of the window. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SecondsTally } from '../../src/stats/seconds.ts';

describe('SecondsTally', () => {
  test('is unknown where nothing was measured', () => {
    expect(new SecondsTally(4).toString()).toBe('uuuu');
  });

  test.each([
    { received: 1, lost: 0, letter: 'g' },
    { received: 0, lost: 1, letter: 'b' },
    { received: 5, lost: 5, letter: 'g' },
    { received: 5, lost: 6, letter: 'b' },
    { received: 50_000, lost: 50_000, letter: 'g' },
    { received: 50_000, lost: 50_001, letter: 'b' },
    { received: 0, lost: 0, letter: 'u' },
  ])('of $received received and $lost lost is $letter', ({ received, lost, letter }) => {
    const tally = new SecondsTally(1);
    tally.add(0, received, lost);
    expect(tally.toString()).toBe(letter);
  });

  test('judges a second over all paths together', () => {
    const tally = new SecondsTally(2);
    // One dead path of four: loss, but not a bad second.
    tally.add(1, 0, 10);
    for (const path of [10, 10, 10]) tally.add(1, path, 0);
    expect(tally.toString()).toBe('ug');
  });

  test('counts a second outside the window at the nearest edge', () => {
    const tally = new SecondsTally(3);
    tally.add(-1, 0, 1);
    tally.add(3, 1, 0);
    expect(tally.toString()).toBe('bug');
  });

  test('starts again after a reset', () => {
    const tally = new SecondsTally(2);
    tally.add(0, 0, 9);
    tally.reset();
    tally.add(0, 1, 0);
    expect(tally.toString()).toBe('gu');
  });

  test('agrees with a plain list of probes', () => {
    const probe = fc.record({ second: fc.integer({ min: -2, max: 11 }), arrived: fc.boolean() });
    fc.assert(
      fc.property(fc.array(probe, { maxLength: 100 }), (probes) => {
        const tally = new SecondsTally(10);
        for (const { second, arrived } of probes) tally.add(second, arrived ? 1 : 0, arrived ? 0 : 1);
        expect(tally.toString()).toBe(plainSeconds(probes, 10));
      }),
    );
  });

  test.each([0.5, Number.NaN])('refuses the second %s', (second) => {
    expect(() => new SecondsTally(3).add(second, 1, 0)).toThrow(RangeError);
  });

  test.each([0, -1, 2.5])('refuses a window of %s seconds', (seconds) => {
    expect(() => new SecondsTally(seconds)).toThrow(RangeError);
  });
});

function plainSeconds(probes: readonly { second: number; arrived: boolean }[], length: number): string {
  let letters = '';
  for (let second = 0; second < length; second += 1) {
    const own = probes.filter((probe) => {
      if (second === 0) return probe.second <= 0;
      return second === length - 1 ? probe.second >= second : probe.second === second;
    });
    const share = own.filter((probe) => !probe.arrived).length / own.length;
    if (own.length === 0) letters += 'u';
    else letters += share > 0.5 ? 'b' : 'g';
  }
  return letters;
}
