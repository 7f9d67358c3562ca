/** The list of waiting documents, held against a plain sorted array. */

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { type SpooledFile, SpoolIndex } from '../../src/agent/spool-index.ts';

/** Numbers close together, so that they meet, over several chunks. */
const sequence = fc.integer({ min: 1, max: 6000 });
const bytesOf = (number: number): number => 600 + (number % 97);

interface Step {
  add: boolean;
  from: number;
  count: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  add: fc.boolean(),
  from: sequence,
  count: fc.integer({ min: 1, max: 3000 }),
});

function expectSame(index: SpoolIndex, model: Set<number>, probe: number): void {
  const all = [...model].sort((a, b) => a - b);
  expect([...index.from(0)]).toEqual(all);
  expect(index.count).toBe(all.length);
  expect(index.bytes).toBe(all.reduce((sum, number) => sum + bytesOf(number), 0));
  expect([index.oldest, index.newest]).toEqual([all[0] ?? null, all.at(-1) ?? null]);
  expect(index.next(probe)).toBe(all.find((number) => number >= probe) ?? null);
  expect(index.has(probe)).toBe(model.has(probe));
  expect(index.bytesOf(probe)).toBe(model.has(probe) ? bytesOf(probe) : 0);
  expect([...index.from(probe)]).toEqual(all.filter((number) => number >= probe));
}

it('has what was added and not removed, in order, wherever it was added', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), sequence, (steps, probe) => {
      const index = new SpoolIndex();
      const model = new Set<number>();
      const removed: [SpooledFile | null, SpooledFile | null][] = [];
      for (const { add, from, count } of steps) {
        for (let number = from; number < from + count; number += 1) {
          if (!add) {
            removed.push([
              index.remove(number),
              model.delete(number) ? { sequence: number, bytes: bytesOf(number) } : null,
            ]);
          } else if (!model.has(number)) {
            index.add({ sequence: number, bytes: bytesOf(number) });
            model.add(number);
          }
        }
        expectSame(index, model, probe);
        for (const [file, expected] of removed) expect(file).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  );
});

it('takes what is put in from the end to the beginning', () => {
  const index = new SpoolIndex();
  const model = new Set<number>();
  for (let number = 5000; number > 0; number -= 1) {
    index.add({ sequence: number, bytes: bytesOf(number) });
    model.add(number);
  }
  expectSame(index, model, 2500);
});
