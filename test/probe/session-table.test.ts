/** What a reflector remembers of each session: its numbers, its allowance, when its replies left. */

import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { parseIp } from '../../src/linux/ip-text.ts';
import { SessionTable } from '../../src/probe/session-table.ts';

const ADDRESS = parseIp('198.18.0.5');
const RATE = 100;

function tableOf(): { table: SessionTable; one: number; two: number } {
  const session = { address: ADDRESS, port: 862, keys: [] };
  const table = new SessionTable(
    [
      { ...session, ssid: 2 },
      { ...session, ssid: 1 },
    ],
    RATE,
  );
  return { table, one: table.find(ADDRESS, 4, 862, 1), two: table.find(ADDRESS, 4, 862, 2) };
}

describe('a session', () => {
  it('numbers its replies by itself', () => {
    const { table, one, two } = tableOf();
    expect([table.takeSequence(one), table.takeSequence(two), table.takeSequence(one)]).toEqual([0, 0, 1]);
  });

  it('is allowed its rate for good, a burst once, and nothing of another session', () => {
    const { table, one, two } = tableOf();
    const at = (ms: number) => ({ seconds: 1_700_000_000 + Math.floor(ms / 1000), nanoseconds: (ms % 1000) * 1e6 });
    const burst = Array.from({ length: 1000 }, () => table.allow(one, at(0))).filter(Boolean).length;
    expect(burst).toBe(RATE * LIMITS.reflectorBurstS);
    // Ten times the rate for ten seconds.
    const sustained = Array.from({ length: 10_000 }, (_, ms) => table.allow(one, at(ms + 1))).filter(Boolean).length;
    expect(Math.abs(sustained - RATE * 10)).toBeLessThanOrEqual(1);
    expect(table.allow(two, at(0))).toBe(true);
  });

  it('is not starved when the wall clock is set back', () => {
    const { table, one } = tableOf();
    const arrivals = Array.from({ length: 300 }, (_, at) => ({
      seconds: 1_700_000_000 - (at === 150 ? 10 : 0),
      nanoseconds: 0,
    }));
    for (const arrived of arrivals) table.allow(one, arrived);
    expect(table.allow(one, { seconds: 1_700_000_001, nanoseconds: 0 })).toBe(true);
  });

  it('knows when its newest reply left, and no other', () => {
    const { table, one } = tableOf();
    const into = { seconds: 0, nanoseconds: 0 };
    expect(table.departureOf(one, 0, into)).toBe(false);
    table.depart(one, 0, 10, 1);
    table.depart(one, 1, 11, 2);
    table.depart(one, 0, 12, 3);
    expect(table.departureOf(one, 0, into)).toBe(false);
    expect(table.departureOf(one, 1, into)).toBe(true);
    expect(into).toEqual({ seconds: 11, nanoseconds: 2 });
  });
});
