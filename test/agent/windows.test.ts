/** Windows: aligned to the wall clock, and every moment in exactly one of them, whatever is done to that clock. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rfc3339, sealDelayNs, type Window, Windows } from '../../src/agent/windows.ts';
import { NS_PER_MS, NS_PER_S, type UnixS } from '../../src/base/units.ts';
import { FakeClock } from '../probe/fake-clock.ts';

const LENGTH_S = 60;
const LENGTH_NS = LENGTH_S * NS_PER_S;
const HOUR_NS = 3600 * NS_PER_S;
const YEAR_NS = 365 * 24 * HOUR_NS;
/** The fake clock starts here, 20 s into a window. */
const WALL_S = 1_700_000_000;
const FIRST_START_S = WALL_S - 20;

/** A clock, windows on it, and what a loop that asks now and then gets to see. */
class Rig {
  readonly clock = new FakeClock();
  readonly windows = new Windows(LENGTH_S, this.clock);
  readonly taken: Window[] = [];

  /** Lets time pass, or not, and takes what has ended; returns how many windows that were. */
  turn(advanceNs: number): number {
    this.clock.advance(advanceNs);
    this.clock.read();
    const before = this.taken.length;
    for (let window = this.windows.ended(this.clock); window; window = this.windows.ended(this.clock)) {
      this.taken.push(window);
      this.windows.take();
    }
    return this.taken.length - before;
  }

  /** Time passes as in the agent, asked each second. */
  run(seconds: number): void {
    for (let second = 0; second < seconds; second += 1) this.turn(NS_PER_S);
  }

  starts(): number[] {
    return this.taken.map((window) => window.startUnixS);
  }
}

/** Windows follow one another without gap or overlap, on the monotonic clock. */
function expectSeamless(windows: readonly Window[]): void {
  for (const [index, window] of windows.entries()) {
    expect(window.startNs).toBe(windows[index - 1]?.endNs ?? window.startNs);
    expect(window.endNs).toBeGreaterThanOrEqual(window.startNs);
    expect(window.startUnixS % LENGTH_S).toBe(0);
    expect(window.lengthS).toBe(LENGTH_S);
  }
}

function expectAscending(starts: readonly number[]): void {
  expect(starts).toEqual([...new Set(starts)].toSorted((a, b) => a - b));
}

describe('windows on an undisturbed clock', () => {
  it('begin and end on whole multiples of their length, to the nanosecond', () => {
    const rig = new Rig();
    rig.clock.advance(123_456_789);
    const { monoNs } = new FakeClock();
    rig.run(200);
    expect(rig.taken).toEqual(
      [0, 1, 2].map((index) => ({
        startUnixS: FIRST_START_S + index * LENGTH_S,
        lengthS: LENGTH_S,
        startNs: monoNs - 20 * NS_PER_S + index * LENGTH_NS,
        endNs: monoNs - 20 * NS_PER_S + (index + 1) * LENGTH_NS,
      })),
    );
  });

  it('end on the boundary however late one asks', () => {
    const rig = new Rig();
    const { monoNs } = rig.clock;
    expect(rig.turn(39 * NS_PER_S + 999_999_999)).toBe(0);
    expect(rig.turn(1)).toBe(1);
    expect(rig.turn(LENGTH_NS + 7 * NS_PER_S)).toBe(1);
    expect(rig.taken.map((window) => window.endNs)).toEqual([monoNs + 40 * NS_PER_S, monoNs + 100 * NS_PER_S]);
  });

  it('stay the same until taken', () => {
    const rig = new Rig();
    rig.clock.advance(LENGTH_NS);
    rig.clock.read();
    const ended = rig.windows.ended(rig.clock);
    rig.clock.step(-HOUR_NS);
    rig.clock.advance(LENGTH_NS);
    rig.clock.read();
    expect(rig.windows.ended(rig.clock)).toBe(ended);
  });

  it('are cut off where the agent stops', () => {
    const rig = new Rig();
    rig.run(50);
    const [first] = rig.taken;
    expect(rig.windows.cutOff(rig.clock)).toEqual({
      startUnixS: FIRST_START_S + LENGTH_S,
      lengthS: LENGTH_S,
      startNs: first?.endNs,
      endNs: rig.clock.monoNs,
    });
  });
});

describe('windows on a clock that is stepped', () => {
  const advances = fc.integer({ min: 0, max: 3 * LENGTH_NS });
  const steps = fc.oneof(
    fc.constant(0),
    fc.integer({ min: -3 * LENGTH_NS, max: 3 * LENGTH_NS }),
    fc.integer({ min: -5 * HOUR_NS, max: 5 * HOUR_NS }),
  );
  const moves = fc.array(fc.tuple(advances, steps), { maxLength: 40 });

  it('leave no moment out and take none twice, and never come as a flood', () => {
    fc.assert(
      fc.property(moves, (sequence) => {
        const rig = new Rig();
        for (const [advanceNs, stepNs] of sequence) {
          rig.clock.step(stepNs);
          expect(rig.turn(advanceNs)).toBeLessThanOrEqual(6);
        }
        const cutOff = rig.windows.cutOff(rig.clock);
        expectSeamless([...rig.taken, cutOff]);
        expect(cutOff.endNs).toBe(rig.clock.monoNs);
      }),
    );
  });

  it('never repeat a start while the clock goes forward only', () => {
    fc.assert(
      fc.property(moves, (sequence) => {
        const rig = new Rig();
        for (const [advanceNs, stepNs] of sequence) {
          rig.clock.step(Math.abs(stepNs));
          rig.turn(advanceNs);
        }
        expectAscending([...rig.starts(), rig.windows.cutOff(rig.clock).startUnixS]);
      }),
    );
  });

  it.each([
    ['hours', 7 * HOUR_NS],
    ['a year', YEAR_NS],
  ])('forward by %s: one window takes in the step, and the next is aligned again', (_, stepNs) => {
    const rig = new Rig();
    rig.run(10);
    rig.clock.step(stepNs);
    rig.run(2 * LENGTH_S);
    const [stepped, next] = rig.taken;
    expect(rig.taken).toHaveLength(3);
    expectSeamless(rig.taken);
    expectAscending(rig.starts());
    expect(stepped?.endNs).toBeLessThanOrEqual(rig.clock.monoNs - LENGTH_NS);
    expect((next?.endNs ?? 0) - (next?.startNs ?? 0)).toBe(LENGTH_NS);
  });

  it('back by up to a window: the running one becomes longer and none is repeated', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: LENGTH_NS }), (seconds, stepNs) => {
        const rig = new Rig();
        rig.run(seconds);
        rig.clock.step(-stepNs);
        rig.run(300);
        expectSeamless(rig.taken);
        expectAscending(rig.starts());
        const lengths = rig.taken.map((window) => window.endNs - window.startNs);
        expect(Math.max(...lengths)).toBe(LENGTH_NS + stepNs);
      }),
    );
  });

  it.each([
    ['minutes', 5 * LENGTH_NS],
    ['hours', 7 * HOUR_NS],
    ['a year', YEAR_NS],
  ])('back by %s: windows go on at once, none longer than the ring remembers', (_, stepNs) => {
    const rig = new Rig();
    rig.run(110);
    rig.clock.step(-stepNs);
    rig.run(600);
    expectSeamless(rig.taken);
    for (const window of rig.taken) expect(window.endNs - window.startNs).toBeLessThanOrEqual(2 * LENGTH_NS);
    const firstAfterS = FIRST_START_S + 2 * LENGTH_S - stepNs / NS_PER_S;
    const startsAfter = Array.from({ length: 10 }, (_after, index) => firstAfterS + index * LENGTH_S);
    expect(rig.starts()).toEqual([FIRST_START_S, FIRST_START_S + LENGTH_S, ...startsAfter]);
  });
});

describe('an instant as text', () => {
  it('is RFC 3339 in UTC', () => {
    expect(rfc3339(WALL_S as UnixS)).toBe('2023-11-14T22:13:20.000Z');
  });
});

describe('the latest moment to seal', () => {
  it('is when no probe of the window can be open any more', () => {
    expect(sealDelayNs(3000 * NS_PER_MS, 20 * NS_PER_MS)).toBeGreaterThan(3020 * NS_PER_MS);
  });
});
