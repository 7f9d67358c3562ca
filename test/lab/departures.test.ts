/** The departure heap against a sorted list. */

import { describe, expect, test } from 'vitest';
import { Departures } from '../../src/lab/departures.ts';
import { Random } from '../../src/lab/random.ts';

function drain(departures: Departures): number[] {
  return Array.from({ length: departures.size }, () => departures.pop());
}

describe('departures', () => {
  test('leave in the order of a stable sort, when many are due at the same instant too', () => {
    const random = new Random(21);
    const due = Array.from({ length: 5000 }, () => Math.floor(random.next() * 700));
    const departures = new Departures(due.length);
    for (const [ticket, dueNs] of due.entries()) departures.push(dueNs, ticket);
    const sorted = [...due.keys()].toSorted((a, b) => (due[a] ?? 0) - (due[b] ?? 0));
    expect(drain(departures)).toEqual(sorted);
  });

  test('leave in order while others come, as a sorted list says at every step', () => {
    const random = new Random(22);
    const departures = new Departures(64);
    const list: { dueNs: number; ticket: number }[] = [];
    const found: unknown[] = [];
    const expected: unknown[] = [];
    for (let ticket = 0; ticket < 20_000; ticket += 1) {
      if (random.next() < 0.52) {
        const dueNs = ticket + Math.floor(random.next() * 40);
        found.push(departures.push(dueNs, ticket));
        expected.push(list.length < 64);
        if (list.length < 64) list.push({ dueNs, ticket });
        list.sort((a, b) => a.dueNs - b.dueNs);
      } else {
        found.push(departures.earliestNs(), departures.pop());
        expected.push(list[0]?.dueNs ?? Number.POSITIVE_INFINITY, list.shift()?.ticket ?? -1);
      }
    }
    expect(found).toEqual(expected);
    expect(expected).toContain(false);
    expect(expected).toContain(-1);
  });

  test('refuse what they have no room for, and take it when one has left', () => {
    const departures = new Departures(2);
    expect([departures.push(5, 1), departures.push(4, 2), departures.push(3, 3)]).toEqual([true, true, false]);
    expect(departures.pop()).toBe(2);
    expect(departures.push(3, 3)).toBe(true);
    expect(drain(departures)).toEqual([3, 1]);
    expect([departures.pop(), departures.earliestNs()]).toEqual([-1, Number.POSITIVE_INFINITY]);
  });

  test('are told apart by fractions of a nanosecond after years of uptime no more, and then leave as they came', () => {
    const departures = new Departures(3);
    const years = 3e17;
    departures.push(years + 1, 1);
    departures.push(years, 2);
    departures.push(years + 64, 3);
    expect(drain(departures)).toEqual([1, 2, 3]);
  });
});
