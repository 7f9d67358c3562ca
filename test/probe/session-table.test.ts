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

  it('goes on in another table with its numbers, allowance and last departure', () => {
    const { table, one, two } = tableOf();
    const now = { seconds: 1_700_000_000, nanoseconds: 0 };
    for (let request = 0; request < 1000; request += 1) table.allow(one, now);
    for (let request = 0; request < 3; request += 1) table.countReceived(one);
    for (let reply = 0; reply < 5; reply += 1) table.takeSequence(one);
    table.depart(one, 4, 1_700_000_000, 99);
    const next = tableOf().table;
    next.continue(table, [one, -1]);
    expect([next.takeSequence(0), next.takeSequence(1), next.countReceived(0)]).toEqual([5, 0, 4]);
    expect([next.allow(0, now), next.allow(1, now)]).toEqual([false, true]);
    const left = { seconds: 0, nanoseconds: 0 };
    expect([next.departureOf(0, 4, left), left.nanoseconds]).toEqual([true, 99]);
    expect(table.takeSequence(two)).toBe(0);
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
