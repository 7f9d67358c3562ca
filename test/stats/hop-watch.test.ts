/** Hop counts from TTLs, and the route changes they show. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HopWatch } from '../../src/stats/hop-watch.ts';

/** Feeds packets that took so many hops. */
function feed(watch: HopWatch, hops: readonly number[]): void {
  for (const count of hops) watch.add(255 - count);
}

describe('the hop watch', () => {
  test('says nothing without a packet', () => {
    expect(new HopWatch().take()).toBeNull();
  });

  test('counts hops and changes in send order', () => {
    const watch = new HopWatch();
    feed(watch, [7, 7, 9, 7, 7, 8]);
    expect(watch.take()).toEqual({ n: 6, min: 7, max: 9, last: 8, changes: 3 });
  });

  test('reaches from a neighbour on the same wire to a TTL used up', () => {
    const watch = new HopWatch();
    watch.add(255);
    watch.add(0);
    expect(watch.take()).toEqual({ n: 2, min: 0, max: 255, last: 255, changes: 1 });
  });

  test('sees a change between two windows, also with an empty one between', () => {
    const watch = new HopWatch();
    feed(watch, [7, 7]);
    watch.take();
    expect(watch.take()).toBeNull();
    feed(watch, [9, 9]);
    expect(watch.take()).toEqual({ n: 2, min: 9, max: 9, last: 9, changes: 1 });
  });

  test('adds up to the same, wherever windows are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 50, size: 'max' }),
        fc.nat(50),
        (hops, cut) => {
          const whole = new HopWatch();
          feed(whole, hops);
          const parted = new HopWatch();
          feed(parted, hops.slice(0, cut));
          const first = parted.take();
          feed(parted, hops.slice(cut));
          const second = parted.take();
          const parts = [first, second].filter((figures) => figures !== null);
          const figures = whole.take();
          expect(parts.reduce((sum, part) => sum + part.n, 0)).toBe(figures?.n ?? 0);
          expect(parts.reduce((sum, part) => sum + part.changes, 0)).toBe(figures?.changes ?? 0);
          expect(parts.at(-1)?.last).toBe(figures?.last);
        },
      ),
    );
  });

  test.each([-1, 256, 63.5, Number.NaN])('refuses a TTL of %d', (ttl) => {
    expect(() => new HopWatch().add(ttl)).toThrow(RangeError);
  });
});
