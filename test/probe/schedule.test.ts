/** The schedule's decisions as tables, and the clock-step watch. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideDue, nextWakeNs, Schedule, type ScheduleKind } from '../../src/probe/schedule.ts';
import { StepWatch } from '../../src/probe/step-watch.ts';
import { FakeClock } from './fake-clock.ts';

const MS = 1_000_000;
const S = 1000 * MS;
const WINDOW_S = 10;

/** Due times within `seconds` of the clock, which starts on the edge of a window. */
function dueTimes(kind: ScheduleKind, intervalMs: number, seconds: number, random: () => number): number[] {
  const clock = new FakeClock();
  const startNs = clock.monoNs;
  const schedule = new Schedule(kind, [intervalMs * MS], WINDOW_S, clock, random);
  const times: number[] = [];
  while (schedule.dueNs(0) < startNs + seconds * S) {
    times.push(schedule.dueNs(0) - startNs);
    schedule.advance(0);
  }
  return times;
}

/** Uniform, and the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a probe', () => {
  it.each([
    ['not due yet', 100, 99, 'wait'],
    ['due now', 100, 100, 'send'],
    ['carried by the next tick', 100, 105, 'send'],
    ['late by half an interval beyond that tick', 100, 155, 'send'],
    ['later than that', 100, 155.001, 'missed'],
    ['a whole interval late', 100, 205, 'missed'],
  ] as const)('%s: due %d ms, now %d ms: %s', (_, dueMs, nowMs, decision) => {
    expect(decideDue(dueMs * MS, nowMs * MS, 100 * MS, 5 * MS)).toBe(decision);
  });
});

describe('the next wake-up', () => {
  it.each([
    ['the tick after the next probe', 12, 3, 15],
    ['the tick of the next probe', 15, 3, 15],
    ['no later than the longest sleep allows', 500, 3, 55],
    ['never in the past', 2, 7, 7],
  ])('is %s', (_, dueMs, nowMs, wakeMs) => {
    expect(nextWakeNs(0, 5 * MS, dueMs * MS, nowMs * MS, 50 * MS)).toBe(wakeMs * MS);
  });
});

describe('a periodic schedule', () => {
  it('keeps its interval within a window and draws a new phase for each', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(20, 100, 500, 1000), (seed, intervalMs) => {
        const times = dueTimes('periodic', intervalMs, 5 * WINDOW_S, seeded(seed));
        const perWindow = Math.round((WINDOW_S * 1000) / intervalMs);
        const phases = [0, 1, 2, 3, 4].map((window) => {
          const own = times.filter((time) => Math.floor(time / (WINDOW_S * S)) === window);
          expect(Math.abs(own.length - perWindow)).toBeLessThanOrEqual(1);
          const gaps = own.slice(1).map((time, at) => time - (own[at] ?? 0));
          for (const gap of gaps) expect(gap).toBeCloseTo(intervalMs * MS, -3);
          const phase = (own[0] ?? 0) - window * WINDOW_S * S;
          expect(phase).toBeLessThan(intervalMs * MS);
          return phase;
        });
        expect(new Set(phases).size).toBe(5);
      }),
    );
  });

  it('finds the windows of the wall clock again after a step', () => {
    const clock = new FakeClock();
    const startNs = clock.monoNs;
    const schedule = new Schedule('periodic', [100 * MS], WINDOW_S, clock, () => 0.5);
    clock.step(3 * S);
    clock.read();
    schedule.follow(clock);
    const due: number[] = [];
    while (schedule.dueNs(0) < startNs + 30 * S) {
      due.push((schedule.dueNs(0) - startNs) / MS);
      schedule.advance(0);
    }
    // The window under way ends where it was going to; those behind it end 3 s earlier than they would have.
    const phases = due.filter((time, at) => at > 0 && Math.abs(time - (due[at - 1] ?? 0) - 100) > 1e-6);
    expect(phases).toEqual([]);
    expect(due).toContain(10_050);
    expect(due).toContain(17_050);
  });

  it('probes a path whose interval is longer than a window', () => {
    const times = dueTimes('periodic', 60_000, 1200, seeded(7));
    expect(times.length).toBeGreaterThan(10);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});

describe('a path that is to stop', () => {
  function scheduleOf(kind: ScheduleKind = 'periodic') {
    const clock = new FakeClock();
    return {
      clock,
      startNs: clock.monoNs,
      schedule: new Schedule(kind, [100 * MS, 100 * MS], WINDOW_S, clock, () => 0.5),
    };
  }

  it.each(['periodic', 'poisson'] as const)('has no probe from then on, and every one before (%s)', (kind) => {
    const { clock, startNs, schedule } = scheduleOf(kind);
    const stopNs = startNs + 2 * S;
    schedule.stopAt(new Set([0]), stopNs, clock.monoNs);
    const due: number[][] = [[], []];
    for (const path of [0, 1]) {
      while (schedule.dueNs(path) < startNs + 5 * S) {
        due[path]?.push(schedule.dueNs(path));
        schedule.advance(path);
      }
    }
    expect(due[0]).toEqual(due[1]?.filter((time) => time < stopNs));
    expect(schedule.dueNs(0)).toBe(Number.POSITIVE_INFINITY);
    expect(schedule.earliestNs()).toBe(schedule.dueNs(1));
    expect(schedule.nextDue(0, startNs + 10 * S)).toBe(1);
  });

  it('stops at once when the instant has passed, and begins anew when it shall go on', () => {
    const { clock, startNs, schedule } = scheduleOf();
    schedule.stopAt(new Set([0, 1]), startNs, clock.monoNs);
    expect(schedule.earliestNs()).toBe(Number.POSITIVE_INFINITY);
    schedule.stopAt(new Set([1]), startNs, startNs + 7 * S);
    expect(schedule.dueNs(0)).toBe(startNs + 7 * S + 50 * MS);
    expect(schedule.dueNs(1)).toBe(Number.POSITIVE_INFINITY);
    schedule.advance(0);
    expect(schedule.dueNs(0)).toBe(startNs + 7 * S + 150 * MS);
  });

  it('goes on without a gap when it is called back in time', () => {
    const { clock, startNs, schedule } = scheduleOf();
    schedule.stopAt(new Set([0]), startNs + 2 * S, clock.monoNs);
    schedule.stopAt(new Set(), 0, clock.monoNs);
    for (let probe = 0; probe < 50; probe += 1) schedule.advance(0);
    expect(schedule.dueNs(0)).toBe(startNs + 50 * MS + 50 * 100 * MS);
  });

  it('is not stopped in the schedule that goes on with it', () => {
    const { clock, startNs, schedule } = scheduleOf();
    schedule.advance(1);
    const next = new Schedule('periodic', [300 * MS, 100 * MS], WINDOW_S, clock, () => 0.25);
    next.continue(1, schedule, 1);
    expect([next.dueNs(0) - startNs, next.dueNs(1) - startNs]).toEqual([75 * MS, 150 * MS]);
  });
});

describe('a Poisson schedule', () => {
  it('has exponential intervals of the given mean, cut off at ten means', () => {
    const times = dueTimes('poisson', 100, 10_000, seeded(20_261_125));
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(mean / (100 * MS)).toBeGreaterThan(0.98);
    expect(mean / (100 * MS)).toBeLessThan(1.02);
    for (const means of [0.1, 0.5, 1, 2, 4]) {
      const share = gaps.filter((gap) => gap > means * 100 * MS).length / gaps.length;
      expect(Math.abs(share - Math.exp(-means))).toBeLessThan(0.01);
    }
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1000 * MS);
  });
});

describe('a clock step', () => {
  it('is seen in either direction, with its size and moment', () => {
    for (const stepNs of [10e9, -10e9, 3 * MS, -3 * MS]) {
      const clock = new FakeClock();
      const watch = new StepWatch();
      watch.observe(clock);
      clock.advance(5 * MS);
      clock.step(stepNs);
      clock.read();
      expect(watch.observe(clock)).toBe(true);
      expect([watch.steps, watch.lastStepNs, watch.lastStepAtNs]).toEqual([1, stepNs, clock.monoNs]);
    }
  });

  it('is not seen in long pauses, or in the first reading', () => {
    const clock = new FakeClock();
    const watch = new StepWatch();
    expect(watch.observe(clock)).toBe(false);
    for (const pauseNs of [5 * MS, 50 * MS, 20_000 * MS]) {
      clock.advance(pauseNs);
      clock.read();
      expect(watch.observe(clock)).toBe(false);
    }
    expect(watch.steps).toBe(0);
  });

  it('is seen although it came in a long pause', () => {
    const clock = new FakeClock();
    const watch = new StepWatch();
    watch.observe(clock);
    clock.advance(20_000 * MS);
    clock.step(5 * MS);
    clock.read();
    expect(watch.observe(clock)).toBe(true);
    expect(watch.lastStepNs).toBe(5 * MS);
  });
});
