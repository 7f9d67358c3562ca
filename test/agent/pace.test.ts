/** The pace of a backlog: it begins with one document, grows by one for every round of answers, and halves on trouble. */

import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/agent/pace.ts';
import { LIMITS } from '../../src/base/limits.ts';

/** Lets as many documents as are under way be answered at one time, each after `tookMs`. */
function round(pace: Pace, atMs: number, tookMs = 10): void {
  for (let left = pace.width; left > 0; left -= 1) pace.answered(atMs, atMs + tookMs);
}

function grown(rounds: number): Pace {
  const pace = new Pace();
  for (let at = 0; at < rounds; at += 1) round(pace, at * 100);
  return pace;
}

describe('the pace', () => {
  it('grows by no more than one document a round, up to its limit', () => {
    const pace = new Pace();
    const widths = Array.from({ length: 40 }, (_, at) => {
      const { width } = pace;
      round(pace, at * 100);
      return width;
    });
    expect(widths.slice(0, 3)).toEqual([1, 2, 2]);
    expect(widths.every((width, at) => at === 0 || width - (widths[at - 1] ?? 0) <= 1)).toBe(true);
    expect(widths.at(-1)).toBe(LIMITS.pushBacklogWidthMax);
  });

  it('halves when a try fails, once for all that were under way together, and never falls below one', () => {
    const pace = grown(40);
    for (let failed = 0; failed < 5; failed += 1) pace.slow(5000, 5010 + failed);
    expect(pace.width).toBe(LIMITS.pushBacklogWidthMax / 2);
    pace.slow(5011, 5020);
    expect(pace.width).toBe(LIMITS.pushBacklogWidthMax / 4);
    for (let at = 6000; at < 7000; at += 100) pace.slow(at, at + 10);
    expect(pace.width).toBe(1);
  });

  it('halves when an answer is slow, and not when it takes as long as it may', () => {
    const pace = grown(40);
    pace.answered(5000, 5000 + LIMITS.pushSlowMs);
    expect(pace.width).toBe(LIMITS.pushBacklogWidthMax);
    pace.answered(7000, 7001 + LIMITS.pushSlowMs);
    expect(pace.width).toBe(LIMITS.pushBacklogWidthMax / 2);
  });

  it('of another backlog begins with one', () => {
    const pace = grown(40);
    pace.restart();
    expect(pace.width).toBe(1);
  });
});
