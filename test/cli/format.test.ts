/** Figures as people read them, above all at the edges where a rounding would tell an untruth. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAge, formatNs, formatRatio, formatTable } from '../../src/cli/format.ts';

describe('a duration', () => {
  it.each([
    [null, '-'],
    [undefined, '-'],
    [0, '0 ns'],
    [1, '1 ns'],
    [999, '999 ns'],
    [1000, '1.00 µs'],
    [1234, '1.23 µs'],
    [9994, '9.99 µs'],
    [9995, '10.0 µs'],
    [99_949, '99.9 µs'],
    [99_950, '100 µs'],
    [999_499, '999 µs'],
    [999_500, '1.00 ms'],
    [12_345_678, '12.3 ms'],
    [999_499_999, '999 ms'],
    [999_500_000, '1.00 s'],
    [3_000_000_000, '3.00 s'],
  ])('of %s ns is %s', (ns, text) => {
    expect(formatNs(ns)).toBe(text);
  });

  it('of a microsecond and more has three digits, which are right to half a unit of the last', () => {
    const unitsNs = { µs: 1e3, ms: 1e6, s: 1e9 };
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 999_000_000_000 }), (ns) => {
        const [number = '', unit = ''] = formatNs(ns).split(' ');
        const unitNs = unitsNs[unit as keyof typeof unitsNs];
        const lastDigitNs = unitNs / 10 ** (number.split('.')[1]?.length ?? 0);
        expect(number.replace('.', '')).toMatch(/^[1-9]\d\d$/);
        expect(Math.abs(Number(number) * unitNs - ns)).toBeLessThanOrEqual(lastDigitNs * 0.500_001);
      }),
    );
  });
});

describe('a ratio', () => {
  it.each([
    [null, '-'],
    [0, '0.00 %'],
    [1e-12, '<0.01 %'],
    [0.000_099_99, '<0.01 %'],
    [0.0001, '0.01 %'],
    [0.000_199, '0.01 %'],
    [0.0029, '0.29 %'],
    [0.57, '57.00 %'],
    [1 / 3, '33.33 %'],
    [0.999_999, '99.99 %'],
    [1, '100.00 %'],
  ])('of %s is %s', (ratio, text) => {
    expect(formatRatio(ratio)).toBe(text);
  });

  it('of lost probes is cut off, so that it is 0.00 % only without loss and 100.00 % only without a reply', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (lost, received) => {
        fc.pre(lost + received > 0);
        const hundredths = Number((BigInt(lost) * 10_000n) / BigInt(lost + received));
        const exact = `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')} %`;
        expect(formatRatio(lost / (lost + received))).toBe(lost > 0 && hundredths === 0 ? '<0.01 %' : exact);
      }),
    );
  });
});

describe('an age', () => {
  it.each([
    [null, 'never'],
    [0, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7199, '119 min'],
    [7200, '2 h'],
    [90_000, '25 h'],
  ])('of %s s is %s', (seconds, text) => {
    expect(formatAge(seconds)).toBe(text);
  });
});

describe('a table', () => {
  it('lines up its columns, the first to the left and the others to the right, without trailing blanks', () => {
    const rows = [
      ['name', 'a', 'figure'],
      ['x', '1000', '1'],
      ['long name', '', '22'],
    ];
    expect(formatTable(rows)).toEqual([
      'name          a  figure',
      'x          1000       1',
      'long name            22',
    ]);
    expect(formatTable([['only', 'heading']])).toEqual(['only  heading']);
    expect(formatTable([])).toEqual([]);
  });
});
