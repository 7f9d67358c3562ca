/** The tick of an agent whose file does not say. */

import { describe, expect, it } from 'vitest';
import { defaultTickMs } from '../../src/config/default-tick.ts';

describe('the tick by default', () => {
  it.each([
    ['a fifth of the shortest interval', [1000, 150, 200], 30],
    ['whole', [119], 23],
    ['no longer than may be configured', [60_000], 40],
    ['no shorter than 5 ms, however fast the probes', [1, 1000], 5],
  ])('is %s', (_, intervalsMs, tickMs) => {
    expect(defaultTickMs(intervalsMs)).toBe(tickMs);
  });
});
