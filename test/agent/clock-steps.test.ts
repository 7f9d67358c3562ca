/** Steps of the real clocks, as a step would change them: each is seen once, by its size, and none where there is none. */

import { describe, expect, it } from 'vitest';
import { ClockSteps } from '../../src/agent/clock-steps.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_S } from '../../src/base/units.ts';
import { SteppedClock } from '../honesty/stepped-clock.ts';

describe('the steps of a clock', () => {
  it('are seen once each, by their size', () => {
    const clock = new SteppedClock();
    const steps = new ClockSteps(clock);
    const seen: number[] = [];
    for (const [window, seconds] of [10, -10, 3600, -3600, 2, -2].entries()) {
      clock.step(seconds);
      for (let look = 0; look < 3; look += 1) {
        const step = steps.turn(window);
        if (step !== null) seen.push(step.stepNs / NS_PER_S);
      }
    }
    expect(seen.map(Math.round)).toEqual([10, -10, 3600, -3600, 2, -2]);
    expect(steps.untold).toBe(0);
  });

  it('beyond the limit of their window are counted, and told again in the next one', () => {
    const clock = new SteppedClock();
    const steps = new ClockSteps(clock);
    const told = (window: number): boolean => {
      clock.step(1);
      return steps.turn(window) !== null;
    };
    const first = Array.from({ length: LIMITS.clockStepsPerWindowMax + 2 }, () => told(1));
    expect(first.filter(Boolean)).toHaveLength(LIMITS.clockStepsPerWindowMax);
    expect([steps.untold, told(2), steps.untold]).toEqual([2, true, 2]);
  });
});
