/** PDV: percentiles above the window's smallest delay. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pdvFigures } from '../../src/stats/pdv.ts';

describe('pdvFigures', () => {
  test('are null without a delay', () => {
    expect(pdvFigures(new Float64Array(0), 0)).toBeNull();
  });

  test('are the percentiles of D(i) - D_min', () => {
    const sorted = Float64Array.from({ length: 1000 }, (_, index) => 5_000_000 + index);
    expect(pdvFigures(sorted, 1000)).toEqual({ p95Ns: 949, p999Ns: 998 });
  });

  test('of one delay, and of a constant one, are 0', () => {
    expect(pdvFigures(Float64Array.of(7), 1)).toEqual({ p95Ns: 0, p999Ns: 0 });
    expect(pdvFigures(Float64Array.of(7, 7, 7), 3)).toEqual({ p95Ns: 0, p999Ns: 0 });
  });

  test('agree with subtracting first and counting after', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1_000_000, max: 10_000_000_000 }), { minLength: 1, maxLength: 400, size: 'max' }),
        (delays) => {
          const sorted = Float64Array.from(delays).sort();
          const n = delays.length;
          const pdv = [...sorted].map((delay) => delay - (sorted[0] ?? 0));
          // The smallest x of which at least the share p of all samples is no larger (RFC 2330 section 11.3).
          const smallest = (thousandths: number): number | undefined =>
            pdv.find((x) => pdv.filter((other) => other <= x).length * 1000 >= thousandths * n);
          expect(pdvFigures(sorted, n)).toEqual({ p95Ns: smallest(950), p999Ns: smallest(999) });
        },
      ),
    );
  });

  test('look at the first n delays only', () => {
    expect(pdvFigures(Float64Array.of(1, 2, 500), 2)).toEqual({ p95Ns: 1, p999Ns: 1 });
    expect(() => pdvFigures(Float64Array.of(1, 2), 3)).toThrow(RangeError);
  });
});
