/** The ring: one slot per probe, published after it is filled, never counted twice or silently lost. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Counters } from '../../src/ring/counters.ts';
import {
  createRing,
  openRing,
  PATH_WORD,
  SLOT_BYTES,
  SLOT_STATE,
  slotsFor,
  tableIndex,
} from '../../src/ring/layout.ts';
import { RingReader } from '../../src/ring/reader.ts';
import { RingWriter } from '../../src/ring/writer.ts';

const TMAX_NS = 3e9;

function ringOf(...capacities: number[]): { writer: RingWriter; reader: RingReader } {
  const views = createRing(capacities);
  return { writer: new RingWriter(views), reader: new RingReader(openRing(views.buffer)) };
}

describe('the layout', () => {
  it('has the octets per slot that limits are computed with', () => {
    expect(createRing([1024]).buffer.byteLength - createRing([]).buffer.byteLength).toBe(1024 * SLOT_BYTES + 64);
  });

  it('covers two windows and Tmax with a power of two', () => {
    expect(slotsFor(60, 3000, 1000)).toBe(128);
    expect(slotsFor(60, 3000, 100)).toBe(2048);
    expect(slotsFor(10, 3000, 100)).toBe(256);
  });

  it.each([
    ['another magic', (words: Int32Array) => (words[0] = 1), /magic/],
    ['another version', (words: Int32Array) => (words[1] = 99), /layout version/],
    ['a wrong number of paths', (words: Int32Array) => (words[2] = 7), /octets for 7 paths/],
  ])('is refused with %s', (_, damage, message) => {
    const { buffer } = createRing([8, 8]);
    damage(new Int32Array(buffer));
    expect(() => openRing(buffer)).toThrow(message);
  });

  it('refuses capacities that are not powers of two', () => {
    expect(() => createRing([8, 12])).toThrow(/powers of two/);
  });

  it('keeps the slots of neighbouring paths apart', () => {
    const { writer } = ringOf(4, 8, 2);
    const slots = [0, 1, 2].flatMap((path) => Array.from({ length: [4, 8, 2][path] ?? 0 }, () => writer.open(path, 0)));
    expect(new Set(slots).size).toBe(14);
  });
});

describe('outcomes', () => {
  it('are what happened to the slot, and open until Tmax', () => {
    const { writer, reader } = ringOf(8);
    const [received, refused, missed, silent, unsent] = Array.from({ length: 5 }, () => writer.open(0, 0)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    for (const slot of [received, silent]) writer.sent(slot);
    writer.received(received);
    writer.refused(refused, 1);
    writer.missed(missed);
    const at = (ageNs: number): string[] =>
      [received, refused, missed, silent, unsent].map((slot) => reader.outcome(slot, ageNs, TMAX_NS));
    expect(at(TMAX_NS)).toEqual(['received', 'refused', 'missed', 'open', 'open']);
    expect(at(TMAX_NS + 1)).toEqual(['received', 'refused', 'missed', 'lost', 'missed']);
  });

  it('of a late reply is lost, and of a second reply still received', () => {
    const { writer, reader } = ringOf(8);
    const late = writer.open(0, 0);
    writer.sent(late);
    expect(writer.fateOfReply(0, late, 0, false)).toBe('late');
    writer.late(late);
    expect(reader.outcome(late, 0, TMAX_NS)).toBe('lost');
    const twice = writer.open(0, 0);
    writer.sent(twice);
    writer.received(twice);
    expect(writer.fateOfReply(0, twice, 1, true)).toBe('duplicate');
  });

  it('are never decided by a reply to a probe that was not sent', () => {
    const { writer } = ringOf(8);
    const slot = writer.open(0, 0);
    writer.refused(slot, 1);
    expect(writer.fateOfReply(0, slot, 0, true)).toBe('unknown');
  });
});

describe('sealing', () => {
  it('makes whatever comes later a straggler, counted and without effect', () => {
    const { writer, reader } = ringOf(8);
    const slot = writer.open(0, 10);
    writer.sent(slot);
    reader.seal(0, reader.endOf(0, 11));
    expect(writer.fateOfReply(0, slot, 0, true)).toBe('straggler');
    expect(reader.total(PATH_WORD.stragglers)).toBe(1);
    expect(writer.views.state[slot]).toBe(SLOT_STATE.sent);
  });

  it('counts slots that were overwritten before they were read, and goes on behind them', () => {
    const { writer, reader } = ringOf(4);
    for (let probe = 0; probe < 6; probe += 1) writer.open(0, probe);
    expect(reader.total(PATH_WORD.overwritten)).toBe(2);
    expect(reader.sealed(0)).toBe(2);
  });

  it('takes each probe into exactly one window, whatever the windows are', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(gaps, gaps, (dues, windows) => {
        const { writer, reader } = ringOf(64);
        let due = 0;
        for (const gap of dues) writer.open(0, (due += gap));
        let end = 0;
        let seen = 0;
        for (const length of [...windows, 1e9]) {
          end += length;
          const from = reader.sealed(0);
          const to = reader.endOf(0, end);
          for (let sequence = from; sequence < to; sequence += 1) {
            expect(reader.views.dueNs[reader.slotOf(0, sequence)]).toBeLessThan(end);
          }
          seen += to - from;
          reader.seal(0, to);
        }
        expect(seen).toBe(dues.length);
      }),
    );
  });
});

describe('sequence numbers', () => {
  it('wrap at 2^32 without a probe changing hands', () => {
    const { writer, reader } = ringOf(4);
    for (const word of [PATH_WORD.head, PATH_WORD.sealed]) writer.views.table[tableIndex(0, word)] = -2;
    const slots = [1, 2, 3, 4].map((due) => writer.open(0, due));
    expect(slots.map((slot) => writer.views.sequence[slot])).toEqual([0xffff_fffe, 0xffff_ffff, 0, 1]);
    expect(writer.owns(0, slots[1] ?? -1, 0xffff_ffff)).toBe(true);
    expect(writer.owns(0, slots[2] ?? -1, 0)).toBe(true);
    expect(writer.owns(0, slots[2] ?? -1, 4)).toBe(false);
    expect(reader.endOf(0, 4)).toBe(1);
    reader.seal(0, 1);
    expect(writer.fateOfReply(0, slots[0] ?? -1, 0xffff_fffe, true)).toBe('straggler');
    expect(reader.total(PATH_WORD.overwritten)).toBe(0);
  });
});

describe('counters', () => {
  it('are seen by the other side, and refuse memory made for another list', () => {
    const mine = new Counters(['sent', 'lost'] as const);
    const theirs = new Counters(['sent', 'lost'] as const, mine.buffer);
    mine.add('lost', 3);
    mine.max('sent', 5);
    mine.max('sent', 4);
    expect([theirs.get('sent'), theirs.get('lost')]).toEqual([5, 3]);
    expect(() => new Counters(['sent'] as const, mine.buffer)).toThrow(/8 octets of counters/);
  });
});
