/** Directional loss against an emulated path of which the truth is known. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DirectionalLoss, type DirectionFigures } from '../../src/stats/directional-loss.ts';
import { anyFates, emulate, feed, orderlyFates, overtakenFates, type Seen } from './emulated-path.ts';

const LOST: Seen = { outcome: 'lost', sequence: Number.NaN, truth: null };
const VOID: Seen = { outcome: 'void', sequence: Number.NaN, truth: null };

/** A received probe with the reflector's number. */
function reply(sequence: number): Seen {
  return { outcome: 'received', sequence, truth: null };
}

function figuresOf(seen: readonly Seen[]): DirectionFigures {
  const state = new DirectionalLoss();
  feed(state, seen);
  return state.take();
}

function nothing(figures: Partial<DirectionFigures>): DirectionFigures {
  return { forward: 0, reverse: 0, unresolved: 0, open: 0, restarts: 0, ...figures };
}

/** Lost probes of this direction after the first reply and before the last one. */
function lostBetweenReplies(seen: readonly Seen[], direction: Seen['truth']): number {
  const received = seen.map(({ outcome }) => outcome === 'received');
  const between = seen.slice(received.indexOf(true) + 1, received.lastIndexOf(true) + 1);
  return between.filter(({ truth }) => truth === direction).length;
}

describe('directional loss', () => {
  test('is forward where the reflector counts on, reverse where its numbers have a hole', () => {
    expect(figuresOf([reply(7), LOST, reply(8)])).toEqual(nothing({ forward: 1 }));
    expect(figuresOf([reply(7), LOST, reply(9)])).toEqual(nothing({ reverse: 1 }));
    expect(figuresOf([reply(7), LOST, LOST, LOST, reply(9)])).toEqual(nothing({ forward: 2, reverse: 1 }));
  });

  test('is exact on a path that neither duplicates nor reorders, wherever the numbers begin', () => {
    const first = fc.oneof(fc.constant(0), fc.integer({ min: 2 ** 32 - 400, max: 2 ** 32 - 1 }));
    fc.assert(
      fc.property(orderlyFates, first, (fates, begin) => {
        const seen = emulate(fates, begin);
        const figures = figuresOf(seen);
        const answered = seen.some(({ outcome }) => outcome === 'received');
        expect(figures.forward).toBe(answered ? lostBetweenReplies(seen, 'forward') : 0);
        expect(figures.reverse).toBe(answered ? lostBetweenReplies(seen, 'reverse') : 0);
        expect(figures.restarts).toBe(0);
      }),
    );
  });

  test('is the same, wherever windows are cut: what a window leaves open, a later one resolves', () => {
    fc.assert(
      fc.property(orderlyFates, fc.array(fc.nat(300)), (fates, cuts) => {
        const seen = emulate(fates);
        const state = new DirectionalLoss();
        const sum = nothing({});
        let from = 0;
        for (const to of [...cuts.sort((a, b) => a - b), seen.length]) {
          feed(state, seen.slice(from, to));
          from = Math.max(from, to);
          const { forward, reverse, unresolved, open } = state.take();
          sum.forward += forward;
          sum.reverse += reverse;
          sum.unresolved += unresolved;
          sum.open = open;
        }
        expect(sum).toEqual(figuresOf(seen));
      }),
    );
  });

  test('errs in no direction on a path whose every overtaking shows: it leaves unresolved what it cannot tell', () => {
    fc.assert(
      fc.property(overtakenFates, (fates) => {
        const seen = emulate(fates);
        const { forward, reverse } = figuresOf(seen);
        expect(forward).toBeLessThanOrEqual(seen.filter(({ truth }) => truth === 'forward').length);
        expect(reverse).toBeLessThanOrEqual(seen.filter(({ truth }) => truth === 'reverse').length);
      }),
    );
  });

  test('adds up to the lost, whatever duplicates, overtakings, restarts and void probes there were', () => {
    fc.assert(
      fc.property(anyFates, (fates) => {
        const seen = emulate(fates);
        const { forward, reverse, unresolved, open, restarts } = figuresOf(seen);
        expect(Math.min(forward, reverse, unresolved, open, restarts)).toBeGreaterThanOrEqual(0);
        expect(forward + reverse + unresolved + open).toBe(seen.filter(({ outcome }) => outcome === 'lost').length);
      }),
    );
  });

  test('never says more restarts than there were on a path that keeps order', () => {
    fc.assert(
      fc.property(anyFates, (fates) => {
        const orderly = fates.map((fate) => ({ ...fate, overtakenBy: 0, copies: 0 }));
        const real = orderly.filter(({ restart }) => restart).length;
        expect(figuresOf(emulate(orderly)).restarts).toBeLessThanOrEqual(real);
      }),
    );
  });

  test('leaves open what is lost after the newest reply, and unresolved what is lost before the first', () => {
    expect(figuresOf([LOST, LOST, reply(0), LOST])).toEqual(nothing({ unresolved: 2, open: 1 }));
    expect(figuresOf([LOST, LOST])).toEqual(nothing({ open: 2 }));
  });

  test('is unresolved where the reflector answered more often than we sent', () => {
    expect(figuresOf([reply(0), LOST, reply(3)])).toEqual(nothing({ unresolved: 1 }));
  });

  test('takes back what it said when an overtaking shows later', () => {
    // The second probe was lost on its way there; number 1 is the fourth's, which overtook the third.
    expect(figuresOf([reply(0), LOST, reply(2), reply(1), reply(3)])).toEqual(nothing({ unresolved: 1 }));
    // An earlier stretch, below the number that came late, stands.
    const before = [reply(0), LOST, reply(1)];
    expect(figuresOf([...before, LOST, reply(3), reply(2)])).toEqual(nothing({ forward: 1, unresolved: 1 }));
  });

  test('is unresolved after an overtaking that has lost probes beside it, which may have been answered later', () => {
    // The fourth probe overtook the second, the third did not and was answered with number 3; the fifth never arrived.
    expect(figuresOf([reply(0), reply(2), LOST, reply(1), LOST, reply(4)])).toEqual(nothing({ unresolved: 2 }));
  });

  test('is unresolved around a void probe, which may have been answered', () => {
    expect(figuresOf([reply(0), LOST, VOID, reply(2), LOST, reply(3)])).toEqual(nothing({ forward: 1, unresolved: 1 }));
  });

  test('does not take hundreds of void probes for a restart', () => {
    expect(figuresOf([reply(0), ...Array.from({ length: 500 }, () => VOID), reply(501)])).toEqual(nothing({}));
  });

  test.each([
    { name: 'far below', before: 5000, after: 0 },
    { name: 'far above, across the wrap', before: 4_000_000_000, after: 0 },
    { name: 'one it has given before', before: 3, after: 3 },
  ])('counts a restart when the number is $name, and goes on from there', ({ before, after }) => {
    const seen = [reply(before), LOST, reply(after), LOST, reply(after + 1), LOST, reply(after + 3)];
    expect(figuresOf(seen)).toEqual(nothing({ unresolved: 1, forward: 1, reverse: 1, restarts: 1 }));
  });

  test('survives an outage of any length in one direction', () => {
    const outage = Array.from({ length: 100_000 }, () => LOST);
    expect(figuresOf([reply(9), ...outage, reply(10)])).toEqual(nothing({ forward: 100_000 }));
    expect(figuresOf([reply(9), ...outage, reply(100_010)])).toEqual(nothing({ reverse: 100_000 }));
  });
});
