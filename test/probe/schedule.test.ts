/** The schedule's decisions as tables, and the clock-step watch. */

import { describe, expect, it } from 'vitest';
import { decideDue, nextWakeNs } from '../../src/probe/schedule.ts';
import { StepWatch } from '../../src/probe/step-watch.ts';
import { FakeClock } from './fake-clock.ts';

const MS = 1_000_000;

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

  it('is not seen in slewing of 8 %, in long pauses, or in the first reading', () => {
    const clock = new FakeClock();
    const watch = new StepWatch();
    expect(watch.observe(clock)).toBe(false);
    for (const pauseNs of [5 * MS, 50 * MS, 20_000 * MS]) {
      clock.advance(pauseNs);
      clock.step(Math.round(pauseNs * 0.08));
      clock.read();
      expect(watch.observe(clock)).toBe(false);
    }
    expect(watch.steps).toBe(0);
  });
});
