/** A ring that goes on with another one's paths has everything of their probes, wherever the paths lie in it. */

import { describe, expect, it } from 'vitest';
import { carryOver, SLOT_ARRAYS } from '../../src/ring/carry-over.ts';
import { createRing, PATH_WORD, type RingViews, SLOT_BYTES, tableIndex } from '../../src/ring/layout.ts';
import { offenderAddress, offenderNumber } from '../../src/ring/offenders.ts';
import { RingReader } from '../../src/ring/reader.ts';
import { RingWriter } from '../../src/ring/writer.ts';

/** Every octet of every slot of a path, told apart by its place. */
function fill(views: RingViews, path: number): void {
  const first = views.table[tableIndex(path, PATH_WORD.first)] ?? 0;
  const capacity = views.table[tableIndex(path, PATH_WORD.capacity)] ?? 0;
  for (const [at, name] of SLOT_ARRAYS.entries()) {
    for (let slot = 0; slot < capacity; slot += 1) views[name][first + slot] = 1 + at * 7 + slot + path * 3;
  }
}

function slots(views: RingViews, path: number): number[][] {
  const first = views.table[tableIndex(path, PATH_WORD.first)] ?? 0;
  const capacity = views.table[tableIndex(path, PATH_WORD.capacity)] ?? 0;
  return SLOT_ARRAYS.map((name) => [...views[name].subarray(first, first + capacity)]);
}

describe('a path that goes on', () => {
  it('is carried with all octets of its slots', () => {
    const views = createRing([1]);
    const bytes = SLOT_ARRAYS.reduce((sum, name) => sum + views[name].BYTES_PER_ELEMENT, 0);
    expect(bytes).toBe(SLOT_BYTES);
  });

  it('has its probes and counters at its new place, and its neighbours have none', () => {
    const [from, to] = [createRing([4, 8, 2]), createRing([2, 16, 8])];
    for (const path of [0, 1, 2]) fill(from, path);
    const words = Object.values(PATH_WORD).filter((word) => word > PATH_WORD.capacity);
    for (const word of words) from.table[tableIndex(1, word)] = 100 + word;
    from.horizonNs[0] = 42e9;
    carryOver(from, to, [2, -1, 1]);
    expect(slots(to, 2)).toEqual(slots(from, 1));
    expect(slots(to, 0)).toEqual(slots(from, 2));
    expect(
      slots(to, 1)
        .flat()
        .every((value) => value === 0),
    ).toBe(true);
    expect(words.map((word) => to.table[tableIndex(2, word)])).toEqual(words.map((word) => 100 + word));
    expect(words.map((word) => to.table[tableIndex(1, word)])).toEqual(words.map(() => 0));
    expect(to.table[tableIndex(2, PATH_WORD.first)]).toBe(18);
    expect(to.horizonNs[0]).toBe(42e9);
  });

  it('is filed into and sealed as before: numbers go on, also where they have wrapped', () => {
    const [from, to] = [createRing([4]), createRing([8, 4])];
    from.table[tableIndex(0, PATH_WORD.head)] = -2;
    from.table[tableIndex(0, PATH_WORD.sealed)] = -2;
    const before = new RingWriter(from);
    before.sent(before.open(0, 1000));
    carryOver(from, to, [-1, 0]);
    const [writer, reader] = [new RingWriter(to), new RingReader(to)];
    const slot = writer.slotOf(1, 0xffff_fffe);
    expect(writer.owns(1, slot, 0xffff_fffe)).toBe(true);
    expect(reader.sealed(1)).toBe(0xffff_fffe);
    writer.received(slot);
    writer.open(1, 2000);
    writer.open(1, 3000);
    expect(reader.head(1)).toBe(1);
    expect(reader.endOf(1, 2500)).toBe(0);
  });

  it('knows who sent the ICMP errors of its probes', () => {
    const [from, to] = [createRing([2]), createRing([2])];
    const router = Uint8Array.of(198, 18, 0, 9);
    const number = offenderNumber(from, router, 4);
    carryOver(from, to, [0]);
    expect([...(offenderAddress(to, number) ?? [])]).toEqual([...router]);
    expect(offenderNumber(to, Uint8Array.of(198, 18, 0, 10), 4)).toBe(number + 1);
  });

  it('must have as many slots as before', () => {
    expect(() => carryOver(createRing([4]), createRing([8]), [0])).toThrow(/4 slots/);
  });
});
