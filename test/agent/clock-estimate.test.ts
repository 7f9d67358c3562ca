/** The clock's state as an Error Estimate: a small error only where somebody vouches for it. */

import { describe, expect, it } from 'vitest';
import { errorEstimateOf } from '../../src/agent/clock-estimate.ts';
import type { ClockState } from '../../src/linux/clock-state.ts';

const KNOWN: ClockState = { synchronised: true, offsetNs: 0, maxErrorNs: 1_000_000, source: 'adjtimex' };
/** S = 0, one second. */
const UNKNOWN = 0x1980;

describe('the error estimate of a clock', () => {
  it.each([
    // The vectors of 10 µs, 1 ms and 10 ms with S = 1.
    [10_000, 0x88a8],
    [1_000_000, 0x8f84],
    [10_000_000, 0x92a4],
  ])('synchronised to within %d ns is its bound', (maxErrorNs, estimate) => {
    expect(errorEstimateOf({ ...KNOWN, maxErrorNs })).toBe(estimate);
  });

  it('that is not synchronised, or of which nobody knows, is a second with S = 0', () => {
    expect(errorEstimateOf({ ...KNOWN, synchronised: false })).toBe(UNKNOWN);
    expect(errorEstimateOf({ synchronised: null, offsetNs: null, maxErrorNs: null, source: 'none' })).toBe(UNKNOWN);
  });

  it('that is synchronised without a bound is so too', () => {
    expect(errorEstimateOf({ ...KNOWN, maxErrorNs: null, source: 'timesyncd' })).toBe(UNKNOWN);
  });
});
