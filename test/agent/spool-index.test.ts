/** The list of waiting documents, held against a plain sorted array. */

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { SpoolIndex } from '../../src/agent/spool-index.ts';

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
  count: fc.integer({ min: 1, max: 2500 }),
});

/** What can be asked of an index, of one number for the questions that take one; long lists as text, which compares fast. */
function answersOf(index: SpoolIndex, probe: number): unknown {
  const { count, bytes, oldest, newest } = index;
  const [all, some] = [[...index.from(0)].join(), [...index.from(probe)].join()];
  return {
    all,
    some,
    count,
    bytes,
    oldest,
    newest,
    next: index.next(probe),
    has: index.has(probe),
    of: index.bytesOf(probe),
  };
}

function expectedOf(model: ReadonlySet<number>, probe: number): unknown {
  const all = [...model].sort((a, b) => a - b);
  return {
    all: all.join(),
    some: all.filter((number) => number >= probe).join(),
    count: all.length,
    bytes: all.reduce((sum, number) => sum + bytesOf(number), 0),
    oldest: all[0] ?? null,
    newest: all.at(-1) ?? null,
    next: all.find((number) => number >= probe) ?? null,
    has: model.has(probe),
    of: model.has(probe) ? bytesOf(probe) : 0,
  };
}

it('has what was added and not removed, in order, wherever it was added', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), sequence, (steps, probe) => {
      const index = new SpoolIndex();
      const model = new Set<number>();
      for (const { add, from, count } of steps) {
        const [removed, expected]: string[][] = [[], []];
        for (let number = from; number < from + count; number += 1) {
          if (!add) {
            removed?.push(JSON.stringify(index.remove(number)));
            expected?.push(JSON.stringify(model.delete(number) ? { sequence: number, bytes: bytesOf(number) } : null));
          } else if (!model.has(number)) {
            index.add({ sequence: number, bytes: bytesOf(number) });
            model.add(number);
          }
        }
        expect(removed?.join()).toBe(expected?.join());
        expect(answersOf(index, probe)).toEqual(expectedOf(model, probe));
      }
    }),
    { numRuns: 40 },
  );
});

it('takes what is put in from the end to the beginning', () => {
  const index = new SpoolIndex();
  const model = new Set<number>();
  for (let number = 5000; number > 0; number -= 1) {
    index.add({ sequence: number, bytes: bytesOf(number) });
    model.add(number);
  }
  expect(answersOf(index, 2500)).toEqual(expectedOf(model, 2500));
});
