/** The wait between tries: its bounds, its growth, and what a Retry-After header may ask for. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, retryAfterMs } from '../../src/agent/backoff.ts';
import { LIMITS } from '../../src/base/limits.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12, 0, 0);
const MAX_MS = LIMITS.pushBackoffMsMax;
const failures = fc.integer({ min: 1, max: 1_000_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffMs', () => {
  it('stays within its bounds after any number of failures', () => {
    fc.assert(
      fc.property(failures, random, (count, r) => {
        const waitMs = backoffMs(count, r, MAX_MS);
        return waitMs >= LIMITS.pushBackoffMsMin && waitMs <= MAX_MS;
      }),
    );
  });

  it('never shrinks with more failures at the same throw of the dice', () => {
    fc.assert(
      fc.property(failures, random, (count, r) => backoffMs(count + 1, r, MAX_MS) >= backoffMs(count, r, MAX_MS)),
    );
  });

  it('spreads over the whole range below a ceiling that doubles', () => {
    const ceilings = [1, 2, 3, 6, 7, 8].map((count) => backoffMs(count, 1, MAX_MS));
    expect(ceilings).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000]);
    expect(backoffMs(8, 0, MAX_MS)).toBe(500);
    expect(backoffMs(8, 0.5, MAX_MS)).toBe(30_250);
  });
});

describe('retryAfterMs', () => {
  it.each([
    ['0', 0],
    ['7', 7000],
    [' 7 ', 7000],
    ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['86400', LIMITS.retryAfterMsMax],
    ['9'.repeat(30), LIMITS.retryAfterMsMax],
    ['Fri, 01 Jan 2027 12:00:00 GMT', LIMITS.retryAfterMsMax],
  ])('reads %j', (header, waitMs) => {
    expect(retryAfterMs(header, NOW_MS)).toBe(waitMs);
  });

  it.each([null, '', '-1', '1.5', '1e3', 'soon', '2026-01-01T12:00:30Z', 'Thu, 99 Jan 2026 12:00:30 GMT'])(
    'finds no wait in %j',
    (header) => {
      expect(retryAfterMs(header, NOW_MS)).toBeNull();
    },
  );

  it('makes a bounded wait or none of any text', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const waitMs = retryAfterMs(header, NOW_MS);
        return waitMs === null || (waitMs >= 0 && waitMs <= LIMITS.retryAfterMsMax);
      }),
    );
  });
});
