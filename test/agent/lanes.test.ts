/** The two lanes: what is sealed now, and the backlog beside it, whatever the order in which documents come and go. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lanes, type Room, type Turn, type Waiting } from '../../src/agent/lanes.ts';
import { LIMITS } from '../../src/base/limits.ts';

const CALM: Room = { width: 0, isBacklogHeld: false, isAlone: false };

/** The numbers that a spool would hold, each document of so many octets. */
class Numbers implements Waiting {
  readonly held: number[];
  readonly #bytes: number;

  constructor(held: readonly number[], bytes = 1000) {
    this.held = [...held];
    this.#bytes = bytes;
  }

  get waiting(): Waiting['waiting'] {
    const { length } = this.held;
    return { count: length, oldest: this.held[0] ?? null, newest: this.held.at(-1) ?? null };
  }

  after(sequence: number): number | null {
    return this.held.find((held) => held > sequence) ?? null;
  }

  bytesOf(): number {
    return this.#bytes;
  }

  remove(sequence: number): void {
    this.held.splice(this.held.indexOf(sequence), 1);
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Begins everything that may go now. */
function fill(lanes: Lanes, spool: Waiting, room: Room): Turn[] {
  const begun: Turn[] = [];
  for (let turn = lanes.next(spool, room); turn !== null; turn = lanes.next(spool, room)) {
    lanes.begin(turn);
    begun.push(turn);
  }
  return begun;
}

const named = (turns: readonly Turn[]): string[] =>
  turns.map(({ sequence, isBacklog }) => `${sequence}${isBacklog ? ' backlog' : ''}`);

describe('the lanes', () => {
  it('send few documents in their order, one at a time', () => {
    const lanes = new Lanes();
    const spool = new Numbers([7, 8]);
    const [first, ...others] = fill(lanes, spool, CALM);
    expect(named([first as Turn, ...others])).toEqual(['7']);
    spool.remove(7);
    lanes.end(first as Turn);
    expect(named(fill(lanes, spool, CALM))).toEqual(['8']);
  });

  it('send the newest of a backlog first, and its oldest documents beside it', () => {
    expect(named(fill(new Lanes(), new Numbers(upTo(9)), { ...CALM, width: 3 }))).toEqual([
      '9',
      '1 backlog',
      '2 backlog',
      '3 backlog',
    ]);
  });

  it('keep a place for what is sealed now, and give it places of the backlog that are free', () => {
    const lanes = new Lanes();
    const spool = new Numbers(upTo(9));
    const [newest] = fill(lanes, spool, { ...CALM, width: 2 });
    spool.remove(9);
    lanes.end(newest as Turn);
    spool.held.push(10, 11, 12);
    expect(named(fill(lanes, spool, { ...CALM, width: 2 }))).toEqual(['10']);
    expect(named(fill(lanes, spool, { ...CALM, width: 4 }))).toEqual(['11', '12']);
  });

  it('let the backlog wait while it is held, and nothing else', () => {
    const lanes = new Lanes();
    const spool = new Numbers(upTo(3));
    expect(named(fill(lanes, spool, { ...CALM, isBacklogHeld: true }))).toEqual(['3']);
    spool.remove(3);
    lanes.end({ sequence: 3, bytes: 1, isBacklog: false });
    // Two are no backlog any more, and must wait all the same: the collector has asked for it.
    expect(fill(lanes, spool, { ...CALM, isBacklogHeld: true })).toEqual([]);
    expect(fill(lanes, spool, { ...CALM, isBacklogHeld: true, isAlone: true })).toEqual([]);
    expect(named(fill(lanes, spool, CALM))).toEqual(['1']);
  });

  it('find out with one document whether a collector answers: with the newest, where the failed ones became a backlog', () => {
    const lanes = new Lanes();
    const spool = new Numbers([1]);
    const [failed] = fill(lanes, spool, CALM);
    lanes.end(failed as Turn);
    spool.held.push(2, 3, 4);
    expect(named(fill(lanes, spool, { ...CALM, width: 8, isAlone: true }))).toEqual(['4']);
    expect(named(fill(lanes, spool, { ...CALM, width: 8 }))).toEqual(['1 backlog', '2 backlog', '3 backlog']);
  });

  it('have no more octets under way than the limit, and always one document of each lane', () => {
    const half = LIMITS.pushBytesUnderWayMax / 2;
    expect(named(fill(new Lanes(), new Numbers(upTo(9), half), { ...CALM, width: 9 }))).toEqual(['9', '1 backlog']);
    const huge = LIMITS.summaryBytesMax;
    expect(named(fill(new Lanes(), new Numbers(upTo(9), huge), { ...CALM, width: 9 }))).toEqual(['9', '1 backlog']);
    const third = Math.floor(LIMITS.pushBytesUnderWayMax / 3);
    expect(fill(new Lanes(), new Numbers(upTo(9), third), { ...CALM, width: 9 })).toHaveLength(3);
  });

  it('send every document, none twice at a time and none beyond the width, in whatever order things happen', () => {
    const step = fc.record({
      width: fc.integer({ min: 0, max: 5 }),
      isBacklogHeld: fc.boolean(),
      isAlone: fc.boolean(),
      appends: fc.integer({ min: 0, max: 4 }),
      ends: fc.integer({ min: 0, max: 6 }),
      isDelivered: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }), fc.array(step, { maxLength: 30 }), (count, steps) => {
        const lanes = new Lanes();
        const spool = new Numbers(upTo(count));
        const underWay: Turn[] = [];
        let newest = count;
        const begin = (room: Room): void => {
          for (let turn = lanes.next(spool, room); turn !== null; turn = lanes.next(spool, room)) {
            const { sequence, isBacklog } = turn;
            expect(underWay.map((each) => each.sequence)).not.toContain(sequence);
            const isFirstOfNow = !isBacklog && underWay.every((each) => each.isBacklog);
            expect(room.isBacklogHeld && isBacklog).toBe(false);
            lanes.begin(turn);
            underWay.push(turn);
            const most = room.isAlone ? 1 : 1 + room.width;
            expect(underWay.length <= most || (isFirstOfNow && !room.isAlone)).toBe(true);
          }
        };
        for (const { appends, ends, isDelivered, ...room } of steps) {
          for (let left = appends; left > 0; left -= 1) spool.held.push((newest += 1));
          begin(room);
          for (const turn of underWay.splice(0, ends)) {
            if (isDelivered) spool.remove(turn.sequence);
            lanes.end(turn);
          }
        }
        for (const turn of underWay.splice(0)) lanes.end(turn);
        for (let left = spool.held.length; left > 0; left -= 1) {
          begin({ ...CALM, width: 1 });
          const turn = underWay.shift();
          if (turn === undefined) throw new Error(`nothing goes, and ${spool.held.join()} wait`);
          spool.remove(turn.sequence);
          lanes.end(turn);
        }
        expect(spool.held).toEqual([]);
      }),
    );
  });
});
