/** Keys of TX stamps: each finds its packet once, whoever counts. */

import { describe, expect, it } from 'vitest';
import { TxKeys } from '../../src/linux/tx-keys.ts';

function cookieOf(keys: TxKeys, key: number): number | null {
  const slot = keys.take(key);
  return slot < 0 ? null : keys.cookieAt(slot);
}

describe('keys of TX stamps', () => {
  it('are counted from 0, and good for one stamp', () => {
    const keys = new TxKeys();
    expect([7, 8, 9].map((cookie) => keys.remember(cookie))).toEqual([0, 1, 2]);
    expect([1, 1, 0, 3].map((key) => cookieOf(keys, key))).toEqual([8, null, 7, null]);
  });

  it('that nobody has had yet are ahead, and older ones are not', () => {
    const keys = new TxKeys();
    keys.remember(7);
    expect([0, 1, 2, 0xffff_ffff].map((key) => keys.isAhead(key))).toEqual([false, true, true, false]);
  });

  it('after a leap are none that a count could have reached, and older ones still find their packets', () => {
    const keys = new TxKeys();
    keys.remember(7);
    keys.leap();
    expect([keys.remember(8), keys.remember(9)]).toEqual([0x8000_0001, 0x8000_0002]);
    expect([0, 1, 2, 0x8000_0001, 0x8000_0002].map((key) => cookieOf(keys, key))).toEqual([7, null, null, 8, 9]);
  });

  it('are counted from 0 again after a reset, which leaves nothing outstanding', () => {
    const keys = new TxKeys();
    keys.remember(7);
    keys.reset();
    expect(cookieOf(keys, 0)).toBe(null);
    expect(keys.remember(8)).toBe(0);
  });
});
