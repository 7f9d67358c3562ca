/** The list of waiting documents, held against a plain set: with room for all of them, and with room for some. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_NUMBERS } from '../../src/agent/number-block.ts';
import { SpoolIndex } from '../../src/agent/spool-index.ts';

const bytesOf = (number: number): number => 600 + (number % 97);
const sorted = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);
const sum = (numbers: readonly number[]): number => numbers.reduce((bytes, number) => bytes + bytesOf(number), 0);

interface Step {
  add: boolean;
  from: number;
  count: number;
}

function stepFrom(numbers: fc.Arbitrary<number>, most: number): fc.Arbitrary<Step> {
  return fc.record({ add: fc.boolean(), from: numbers, count: fc.integer({ min: 1, max: most }) });
}

/** Adds or removes a run of numbers, and holds each answer against the model. */
function take(index: SpoolIndex, model: Set<number>, { add, from, count }: Step): void {
  const answers: boolean[] = [];
  const expected: boolean[] = [];
  for (let number = from; number < from + count; number += 1) {
    if (!add) {
      answers.push(index.remove(number, model.has(number) ? bytesOf(number) : null));
      expected.push(model.delete(number));
    } else if (!model.has(number)) {
      index.add({ sequence: number, bytes: bytesOf(number) });
      model.add(number);
    }
  }
  expect(answers.join()).toBe(expected.join());
}

/** What the folder holds of the stretch that is left out. */
function readOn(index: SpoolIndex, model: ReadonlySet<number>, blocksMax: number): number {
  const found = new SpoolIndex(blocksMax);
  for (const number of model) if (index.leavesOut(number)) found.add({ sequence: number, bytes: bytesOf(number) });
  return index.list(found);
}

describe('a list with room for all', () => {
  /** Numbers close together, so that they meet, over several blocks. */
  const near = fc.integer({ min: 1, max: 3 * BLOCK_NUMBERS });

  it('has what was added and not removed, in order, wherever it was added', () => {
    fc.assert(
      fc.property(fc.array(stepFrom(near, 6000), { maxLength: 8 }), near, (steps, probe) => {
        const index = new SpoolIndex();
        const model = new Set<number>();
        for (const step of steps) {
          take(index, model, step);
          const all = sorted(model);
          const behind = all.filter((number) => number >= probe);
          expect([...index.from(0)].join()).toBe(all.join());
          expect([...index.from(probe)].join()).toBe(behind.join());
          expect(index).toMatchObject({ count: all.length, bytes: sum(all), unlisted: null, wantsMore: false });
          expect([index.oldest, index.newest]).toEqual([all[0] ?? null, all.at(-1) ?? null]);
          expect([index.next(probe), index.has(probe)]).toEqual([behind[0] ?? null, model.has(probe)]);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('takes the largest numbers there are', () => {
    const index = new SpoolIndex();
    const numbers = [1, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER];
    for (const number of numbers) index.add({ sequence: number, bytes: 1 });
    expect([...index.from(0)]).toEqual(numbers);
    expect(index.remove(Number.MAX_SAFE_INTEGER, 1)).toBe(true);
    expect(index.newest).toBe(Number.MAX_SAFE_INTEGER - 1);
  });
});

describe('a list with room for some', () => {
  const BLOCKS_MAX = 4;
  const blockOf = (number: number): number => Math.floor(number / BLOCK_NUMBERS);
  /** A few numbers in each of many blocks. */
  const far = fc
    .tuple(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 1, max: 30 }))
    .map(([block, offset]) => block * BLOCK_NUMBERS + offset);

  function expectTruth(index: SpoolIndex, model: ReadonlySet<number>): void {
    const all = sorted(model);
    const listed = [...index.from(0)];
    const left = all.filter((number) => index.leavesOut(number));
    expect(index).toMatchObject({ count: all.length, bytes: sum(all) });
    // Each is either listed or within the one stretch, and memory has its limit.
    expect(listed.join()).toBe(all.filter((number) => !index.leavesOut(number)).join());
    expect(index.unlisted?.count ?? 0).toBe(left.length);
    expect(index.unlisted?.bytes ?? 0).toBe(sum(left));
    expect(new Set(listed.map(blockOf)).size).toBeLessThanOrEqual(BLOCKS_MAX);
    if (index.wantsMore) return;
    expect([index.oldest, index.newest]).toEqual([all[0] ?? null, all.at(-1) ?? null]);
  }

  it('counts them all, lists the oldest and the newest, and the others once there is room', () => {
    fc.assert(
      fc.property(fc.array(stepFrom(far, 8), { maxLength: 60 }), (steps) => {
        const index = new SpoolIndex(BLOCKS_MAX);
        const model = new Set<number>();
        for (const step of steps) {
          take(index, model, step);
          expectTruth(index, model);
          const gone = index.wantsMore ? readOn(index, model, BLOCKS_MAX) : 0;
          expect(gone).toBe(0);
          expect(index.wantsMore).toBe(false);
          expectTruth(index, model);
        }
        for (const number of sorted(model)) {
          expect(index.oldest).toBe(number);
          take(index, model, { add: false, from: number, count: 1 });
          if (index.wantsMore) readOn(index, model, BLOCKS_MAX);
        }
        expect(index).toMatchObject({ count: 0, bytes: 0, unlisted: null, oldest: null, newest: null });
      }),
      { numRuns: 300 },
    );
  });

  it('forgets those that the folder does not hold any more, and says how many they were', () => {
    const index = new SpoolIndex(BLOCKS_MAX);
    const model = new Set<number>();
    const run = { add: true, count: 2 };
    for (let block = 0; block < 8; block += 1) take(index, model, { ...run, from: block * BLOCK_NUMBERS + 1 });
    const unlisted = sorted(model).filter((number) => index.leavesOut(number));
    for (const number of unlisted.slice(0, 3)) model.delete(number);
    expect(readOn(index, model, BLOCKS_MAX)).toBe(3);
    expectTruth(index, model);
  });
});

describe('octets', () => {
  const MANY = 3 * BLOCK_NUMBERS;

  it('are right again, and never less than none, after files have changed or gone', () => {
    const size = fc.option(fc.integer({ min: 0, max: 5000 }), { nil: null });
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: BLOCK_NUMBERS - 1 }), (sizes) => {
        const index = new SpoolIndex();
        for (let number = 1; number <= MANY; number += 1) index.add({ sequence: number, bytes: 1000 });
        for (const [at, bytes] of sizes.entries()) {
          expect(index.remove(at + 1, bytes)).toBe(true);
          expect(index.bytes).toBeGreaterThanOrEqual((MANY - BLOCK_NUMBERS) * 1000);
          expect(index.bytes).toBeLessThanOrEqual(MANY * 1000);
        }
        // What was wrong goes with the last document of its neighbourhood.
        for (let number = sizes.length + 1; number < BLOCK_NUMBERS; number += 1) index.remove(number, 1000);
        expect(index.bytes).toBe(index.count * 1000);
      }),
      { numRuns: 30 },
    );
  });

  it('of a file that is gone are its share', () => {
    const index = new SpoolIndex();
    for (const [at, bytes] of [100, 200, 300, 400].entries()) index.add({ sequence: at + 1, bytes });
    index.remove(1, null);
    expect(index.bytes).toBe(750);
  });
});
