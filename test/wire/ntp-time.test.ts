/** NTP and PTP timestamps against vectors computed elsewhere and exact integer arithmetic. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differenceNs, fractionNanoseconds, ntpFraction, readNtp, readPtp, writeNtp } from '../../src/wire/ntp-time.ts';
import { fromHex, toHex, viewOf } from './bytes.ts';

const nanoseconds = fc.integer({ min: 0, max: 999_999_999 });

function encoded(seconds: number, ns: number): string {
  const octets = new Uint8Array(8);
  writeNtp(viewOf(octets), 0, seconds, ns);
  return toHex(octets);
}

function decoded(hex: string): { seconds: number; nanoseconds: number } {
  const into = { seconds: -1, nanoseconds: -1 };
  readNtp(viewOf(fromHex(hex)), 0, into);
  return into;
}

describe('NTP timestamps', () => {
  it('encode the vectors of the standards reference', () => {
    expect(encoded(1_700_000_000, 500_000_000)).toBe('e8fe6f8080000000');
    expect(encoded(1_700_000_000, 123_456_789)).toBe('e8fe6f801f9add37');
  });

  it('decode to the nearest nanosecond, where truncation would lose one', () => {
    expect(decoded('e8fe6f801f9add37')).toEqual({ seconds: 1_700_000_000, nanoseconds: 123_456_789 });
  });

  it('carry a fraction that rounds up to a whole second', () => {
    expect(decoded('e8fe6f80ffffffff')).toEqual({ seconds: 1_700_000_001, nanoseconds: 0 });
  });

  it('cross the wrap of 2036 (era 1 begins at Unix second 2 085 978 496)', () => {
    expect(encoded(2_085_978_495, 0)).toBe('ffffffff00000000');
    expect(encoded(2_085_978_496, 0)).toBe('0000000000000000');
    expect(decoded('0000000000000000')).toEqual({ seconds: 2_085_978_496, nanoseconds: 0 });
    expect(differenceNs(2_085_978_496, 5, 2_085_978_495, 999_999_999)).toBe(6);
  });

  it('have the fraction that exact integers give, for every nanosecond', () => {
    fc.assert(
      fc.property(nanoseconds, (ns) => {
        expect(ntpFraction(ns)).toBe(Number((BigInt(ns) << 32n) / 1_000_000_000n));
      }),
      { numRuns: 2000 },
    );
    for (const ns of [0, 1, 999_999_999, 999_999_998, 499_999_999]) {
      expect(ntpFraction(ns)).toBe(Number((BigInt(ns) << 32n) / 1_000_000_000n));
    }
  });

  it('give back every nanosecond they were made from', () => {
    fc.assert(
      fc.property(nanoseconds, (ns) => fractionNanoseconds(ntpFraction(ns)) === ns),
      { numRuns: 2000 },
    );
  });
});

describe('PTP timestamps', () => {
  it('are read as they stand, and a nanosecond field beyond a second is unusable', () => {
    const into = { seconds: 0, nanoseconds: 0 };
    expect(readPtp(viewOf(fromHex('6553f1253b9ac9ff')), 0, into)).toBe(true);
    expect(into).toEqual({ seconds: 0x6553f125, nanoseconds: 999_999_999 });
    expect(readPtp(viewOf(fromHex('6553f1253b9aca00')), 0, into)).toBe(false);
  });
});

describe('differences', () => {
  it('are exact against bigint arithmetic within 68 years either way', () => {
    const second = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(second, nanoseconds, fc.integer({ min: -2_000_000, max: 2_000_000 }), nanoseconds, (s, n, ds, m) => {
        const other = (s + ds) >>> 0;
        expect(BigInt(differenceNs(other, m, s, n))).toBe(BigInt(ds) * 1_000_000_000n + BigInt(m - n));
      }),
    );
  });
});
