/** The tick of an agent whose file does not say. */

import { describe, expect, it } from 'vitest';
import { defaultTickMs } from '../../src/config/default-tick.ts';

describe('the tick by default', () => {
  it.each([
    ['a quarter of the shortest interval', [1000, 120, 200], 30],
    ['whole', [119], 29],
    ['no longer than may be configured', [60_000], 50],
    ['no shorter than 5 ms, however fast the probes', [1, 1000], 5],
  ])('is %s', (_, intervalsMs, tickMs) => {
    expect(defaultTickMs(intervalsMs)).toBe(tickMs);
  });
});
