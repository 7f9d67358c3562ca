/** Loss patterns: the example of RFC 3357, and figures against a plain list. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LossPeriods, type LossPeriodFigures } from '../../src/stats/loss-periods.ts';

/** Feeds one letter per probe, `x` lost and `r` received, and returns the distance of each loss. */
function feed(periods: LossPeriods, probes: string): number[] {
  const distances: number[] = [];
  for (const probe of probes) {
    if (probe === 'x') distances.push(periods.addLost());
    else periods.addReceived();
  }
  return distances;
}

function figuresOf(probes: string, delta = 1): LossPeriodFigures {
  const periods = new LossPeriods(delta);
  feed(periods, probes);
  return periods.figures();
}

/** The same by the definitions of RFC 3357 section 6, over the whole list at once. */
function plainFigures(probes: string, delta: number): LossPeriodFigures {
  const lost = [...probes].flatMap((probe, index) => (probe === 'x' ? [index] : []));
  const runs = [...probes.matchAll(/x+/g)];
  const lengths = runs.map((run) => run[0].length);
  const gaps = runs.slice(1).map((run, at) => run.index - ((runs[at]?.index ?? 0) + (lengths[at] ?? 0) - 1));
  const distances = lost.slice(1).map((index, at) => index - (lost[at] ?? 0));
  const mean = (values: number[]): number | null =>
    values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    lost: lost.length,
    periods: runs.length,
    lengthMax: Math.max(0, ...lengths),
    lengthMean: mean(lengths),
    interLossMin: gaps.length === 0 ? null : Math.min(...gaps),
    interLossMean: mean(gaps),
    interLossMax: gaps.length === 0 ? null : Math.max(...gaps),
    noticeableRate: lost.length === 0 ? null : distances.filter((d) => d <= delta).length / lost.length,
  };
}

describe('loss periods', () => {
  test('are those of the example of RFC 3357 sections 5.4.3 and 6.5', () => {
    const periods = new LossPeriods(2);
    // Packets 2, 5, 7, 9 and 10 of 10 are lost.
    expect(feed(periods, 'rxrrxrxrxx')).toEqual([0, 3, 2, 2, 1]);
    expect(periods.figures()).toEqual({
      lost: 5,
      // Lengths {<1,1>,<2,1>,<3,1>,<4,2>}, inter-loss {<1,0>,<2,3>,<3,2>,<4,2>}.
      periods: 4,
      lengthMax: 2,
      lengthMean: 5 / 4,
      interLossMin: 2,
      interLossMean: 7 / 3,
      interLossMax: 3,
      noticeableRate: 3 / 5,
    });
  });

  test('of the example of RFC 3357 section 6.1: of a loss at 50 and a burst from 125, the burst is noticeable', () => {
    expect(figuresOf(`${'r'.repeat(49)}x${'r'.repeat(74)}xxx`, 99).noticeableRate).toBe(3 / 4);
  });

  test('are absent where nothing was lost', () => {
    const none = { periods: 0, lengthMax: 0, lengthMean: null, noticeableRate: null };
    const gaps = { interLossMin: null, interLossMean: null, interLossMax: null };
    expect(figuresOf('rrr')).toEqual({ lost: 0, ...none, ...gaps });
    expect(figuresOf('')).toEqual({ lost: 0, ...none, ...gaps });
  });

  test('have no distance between periods when there is one period', () => {
    expect(figuresOf('rxxxr')).toMatchObject({ periods: 1, lengthMax: 3, interLossMean: null, noticeableRate: 2 / 3 });
  });

  test('agree with the definitions applied to the whole list', () => {
    const probes = fc.string({ unit: fc.constantFrom('x', 'r'), maxLength: 200, size: 'max' });
    fc.assert(
      fc.property(probes, fc.integer({ min: 1, max: 20 }), (list, delta) => {
        expect(figuresOf(list, delta)).toEqual(plainFigures(list, delta));
      }),
    );
  });

  test('of a window do not depend on the window before', () => {
    const periods = new LossPeriods(2);
    feed(periods, 'rxxxrxx');
    periods.reset();
    feed(periods, 'xrxrrx');
    expect(periods.figures()).toEqual(figuresOf('xrxrrx', 2));
  });

  test.each([0, -1, 1.5, Number.NaN])('refuse a delta of %d', (delta) => {
    expect(() => new LossPeriods(delta)).toThrow(RangeError);
  });
});
