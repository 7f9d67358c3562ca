/** Times on the command line. */

import { expect, it } from 'vitest';
import { parseDuration } from '../../src/cli/duration.ts';

it.each([
  ['30s', 30_000],
  ['5m', 300_000],
  ['576h', 2_073_600_000],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each(['', '5', '5 m', '-5s', '1.5h', '577h', '99999999999999999999s'])('%j is none that a timer takes', (text) => {
  expect(() => parseDuration(text)).toThrow(/expected/);
});
