/** A buffer as large as the platform grants, on platforms that refuse instead of granting less. */

import { expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { setLargestBuffer } from '../../src/probe/socket-buffer.ts';

it.each([
  [Number.POSITIVE_INFINITY, LIMITS.receiveBufferBytes],
  [LIMITS.receiveBufferBytes - 1, LIMITS.receiveBufferBytes / 2],
  [300_000, 262_144],
  [1000, null],
])('where at most %d octets are granted, %s are set', (granted, expected) => {
  let bytes: number | null = null;
  setLargestBuffer((asked) => {
    if (asked > granted) throw new Error('No buffer space available');
    bytes = asked;
  });
  expect(bytes).toBe(expected);
});
