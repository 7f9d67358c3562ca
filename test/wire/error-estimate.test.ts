/** The Error Estimate against vectors computed elsewhere. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeErrorEstimate,
  errorEstimateSeconds,
  isPtpFormat,
  isSynchronised,
  UNSYNCHRONISED_ESTIMATE,
} from '../../src/wire/error-estimate.ts';

describe('Error Estimate', () => {
  it.each([
    [1e-9, 0x8005],
    [1e-6, 0x8587],
    [10e-6, 0x88a8],
    [100e-6, 0x8bd2],
    [1e-3, 0x8f84],
    [10e-3, 0x92a4],
    [1, 0x9980],
  ])('of %d s, synchronised, is 0x%s', (seconds, estimate) => {
    expect(encodeErrorEstimate(seconds, true)).toBe(estimate);
  });

  it('never has a Multiplier of 0, never understates the error, and overstates it by less than 1 %', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-7, max: 1e6, noNaN: true }), (seconds) => {
        const read = errorEstimateSeconds(encodeErrorEstimate(seconds, false));
        expect(read).toBeGreaterThanOrEqual(seconds);
        expect(read).toBeLessThan(seconds * 1.01);
      }),
    );
    expect(encodeErrorEstimate(0, false) & 0xff).toBe(1);
  });

  it('is invalid with a Multiplier of 0', () => {
    expect(errorEstimateSeconds(0x8f00)).toBeNull();
  });

  it('tells S and Z apart', () => {
    expect(isSynchronised(0x8001)).toBe(true);
    expect(isSynchronised(0x4001)).toBe(false);
    expect(isPtpFormat(0x4001)).toBe(true);
    expect(isPtpFormat(0x8001)).toBe(false);
  });

  it('of a clock nobody vouches for is a second, unsynchronised', () => {
    expect(isSynchronised(UNSYNCHRONISED_ESTIMATE)).toBe(false);
    expect(errorEstimateSeconds(UNSYNCHRONISED_ESTIMATE)).toBe(1);
  });
});
