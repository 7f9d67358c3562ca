/** The ledger: what one side books the other reads, second by second, and a block that is used again is blank. */

import { describe, expect, test } from 'vitest';
import { DROP } from '../../src/lab/fate.ts';
import { LedgerReader } from '../../src/lab/ledger-reader.ts';
import type { TruthRow } from '../../src/lab/truth.ts';
import { LOST, TruthLedger } from '../../src/lab/truth-ledger.ts';

const NAMES = ['hkg1', 'sin1', 'collector'];
const SECOND = 1_764_000_000;
/** Seconds that are held at once. */
const HELD = 32;

function ledgerOf(hosts = NAMES.length): { ledger: TruthLedger; reader: LedgerReader } {
  const ledger = TruthLedger.create(hosts);
  return { ledger, reader: new LedgerReader(ledger.buffer) };
}

/** A row of a pair that has had nothing but what is said. */
function rowOf(
  second: number,
  pair: readonly [string, string],
  packets: Partial<TruthRow['packets']>,
  probes: Partial<TruthRow['probes']> = {},
): TruthRow {
  const dropped = { loss: 0, isolated: 0, queue: 0, mtu: 0, ttl: 0, overload: 0 };
  const delays = { delay_n: 0, delay_sum_us: 0, delay_min_us: 0, delay_max_us: 0 };
  const outcomes = { sent: 0, lost: 0, lost_forward: 0, lost_reverse: 0, unanswered: 0 };
  const answers = { stamp_n: 0, stamp_sum_us: 0, stamp_lag_sum_us: 0, icmp_n: 0, icmp_sum_us: 0, icmp_lag_sum_us: 0 };
  return {
    second,
    from: pair[0],
    to: pair[1],
    packets: { offered: 0, dropped, duplicated: 0, reordered: 0, corrupted: 0, ...delays, ...packets },
    probes: { ...outcomes, ...answers, ...probes },
  };
}

describe('rows', () => {
  test('have what was booked of each pair in each second, and nothing of another', () => {
    const { ledger, reader } = ledgerOf();
    for (const [cause, count] of [
      [DROP.loss, 1],
      [DROP.isolated, 2],
      [DROP.queue, 3],
      [DROP.mtu, 4],
      [DROP.ttl, 5],
      [DROP.overload, 6],
    ] as const) {
      for (let time = 0; time < count; time += 1) ledger.dropped(SECOND, 0, 1, cause);
    }
    for (let time = 0; time < 30; time += 1) ledger.offered(SECOND, 0, 1);
    for (let time = 0; time < 7; time += 1) ledger.duplicated(SECOND, 0, 1);
    for (let time = 0; time < 8; time += 1) ledger.reordered(SECOND, 0, 1);
    for (let time = 0; time < 9; time += 1) ledger.corrupted(SECOND, 0, 1);
    for (const delayUs of [17_500, 17_400, 17_600]) ledger.delivered(SECOND, 0, 1, delayUs);
    ledger.offered(SECOND + 1, 1, 0);
    ledger.delivered(SECOND + 1, 1, 0, 20);

    const dropped = { loss: 1, isolated: 2, queue: 3, mtu: 4, ttl: 5, overload: 6 };
    const counts = { offered: 30, dropped, duplicated: 7, reordered: 8, corrupted: 9 };
    const delays = { delay_n: 3, delay_sum_us: 52_500, delay_min_us: 17_400, delay_max_us: 17_600 };
    expect(reader.rows(SECOND, NAMES)).toEqual([rowOf(SECOND, ['hkg1', 'sin1'], { ...counts, ...delays })]);
    const next = { offered: 1, delay_n: 1, delay_sum_us: 20, delay_min_us: 20, delay_max_us: 20 };
    expect(reader.rows(SECOND + 1, NAMES)).toEqual([rowOf(SECOND + 1, ['sin1', 'hkg1'], next)]);
    expect(reader.rows(SECOND + 2, NAMES)).toEqual([]);
  });

  test('have the outcomes of probes, and their delays apart by kind, in whole µs', () => {
    const { ledger, reader } = ledgerOf();
    ledger.offered(SECOND, 1, 0);
    for (let time = 0; time < 10; time += 1) ledger.probeSent(SECOND, 1, 0);
    ledger.probeLost(SECOND, 1, 0, LOST.forward);
    for (let time = 0; time < 2; time += 1) ledger.probeLost(SECOND, 1, 0, LOST.reverse);
    for (let time = 0; time < 3; time += 1) ledger.probeLost(SECOND, 1, 0, LOST.unanswered);
    ledger.stampAnswered(SECOND, 1, 0, 35_000.4, 40.4);
    ledger.stampAnswered(SECOND, 1, 0, 35_000.4, 60.4);
    ledger.icmpAnswered(SECOND, 1, 0, 35_100.6, 70.6);

    const lost = { sent: 10, lost: 6, lost_forward: 1, lost_reverse: 2, unanswered: 3 };
    const stamps = { stamp_n: 2, stamp_sum_us: 70_000, stamp_lag_sum_us: 100 };
    const answered = { ...stamps, icmp_n: 1, icmp_sum_us: 35_101, icmp_lag_sum_us: 71 };
    expect(reader.rows(SECOND, NAMES)).toEqual([
      rowOf(SECOND, ['sin1', 'hkg1'], { offered: 1 }, { ...lost, ...answered }),
    ]);
  });

  test('are sorted by both ends, and leave out hosts without a name', () => {
    const { ledger, reader } = ledgerOf();
    for (const [from, to] of [
      [2, 0],
      [1, 0],
      [0, 2],
      [0, 1],
    ] as const) {
      ledger.offered(SECOND, from, to);
    }
    const pairs = (names: readonly string[]): string[] =>
      reader.rows(SECOND, names).map(({ from, to }) => `${from} ${to}`);
    expect(pairs(NAMES)).toEqual(['hkg1 sin1', 'hkg1 collector', 'sin1 hkg1', 'collector hkg1']);
    expect(pairs(NAMES.slice(0, 2))).toEqual(['hkg1 sin1', 'sin1 hkg1']);
  });
});

describe('a block', () => {
  test('is blank when its next second begins, in every count', () => {
    const { ledger, reader } = ledgerOf();
    for (const cause of Object.values(DROP).slice(1)) ledger.dropped(SECOND, 0, 1, cause);
    for (const where of Object.values(LOST)) ledger.probeLost(SECOND, 0, 1, where);
    ledger.offered(SECOND, 0, 1);
    ledger.offered(SECOND, 2, 1);
    ledger.delivered(SECOND, 0, 1, 5);
    ledger.duplicated(SECOND, 0, 1);
    ledger.reordered(SECOND, 0, 1);
    ledger.corrupted(SECOND, 0, 1);
    ledger.probeSent(SECOND, 0, 1);
    ledger.stampAnswered(SECOND, 0, 1, 5, 6);
    ledger.icmpAnswered(SECOND, 0, 1, 5, 6);
    ledger.error(SECOND, 5);
    const later = SECOND + HELD;
    ledger.offered(later, 0, 1);
    expect(reader.rows(later, NAMES)).toEqual([rowOf(later, ['hkg1', 'sin1'], { offered: 1 })]);
    expect(reader.error(later).packets).toEqual(Array.from({ length: 12 }, () => 0));
  });

  test('is held for 32 s: what is booked up to then counts in its own second', () => {
    const { ledger, reader } = ledgerOf();
    for (let second = SECOND; second < SECOND + HELD; second += 1) ledger.offered(second, 0, 1);
    ledger.probeSent(SECOND, 0, 1);
    const offered = Array.from({ length: HELD }, (_, age) => reader.rows(SECOND + age, NAMES)[0]?.packets.offered);
    expect(offered).toEqual(Array.from({ length: HELD }, () => 1));
    expect(reader.rows(SECOND, NAMES)[0]?.probes.sent).toBe(1);
    expect([ledger.stale, reader.overwritten]).toEqual([0, 0]);
  });

  test('takes nothing of an older second any more: that is counted as stale, and changes no count', () => {
    const { ledger, reader } = ledgerOf();
    ledger.offered(SECOND + HELD, 0, 1);
    ledger.offered(SECOND, 0, 1);
    ledger.delivered(SECOND, 0, 1, 5);
    ledger.error(SECOND, 5);
    expect(reader.rows(SECOND + HELD, NAMES)).toEqual([rowOf(SECOND + HELD, ['hkg1', 'sin1'], { offered: 1 })]);
    expect(reader.error(SECOND + HELD).packets[0]).toBe(0);
    expect([ledger.stale, reader.stale]).toEqual([3, 3]);
  });

  test('that was used again before it was read is counted as overwritten, once', () => {
    const { ledger, reader } = ledgerOf();
    ledger.offered(SECOND, 0, 1);
    ledger.error(SECOND, 5);
    ledger.offered(SECOND + HELD, 0, 1);
    expect(reader.rows(SECOND, NAMES)).toEqual([]);
    expect(reader.error(SECOND).packets[0]).toBe(0);
    expect(reader.overwritten).toBe(1);
  });
});

describe('the error histogram', () => {
  test('counts a packet in the first bound that it does not exceed, and beyond the last by itself', () => {
    const { ledger, reader } = ledgerOf();
    for (const errorUs of [0, 10, 10.001, 200, 50_000, 50_001, 1e9]) ledger.error(SECOND, errorUs);
    expect(reader.error(SECOND)).toEqual({
      second: SECOND,
      error_us: [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000],
      packets: [2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2],
    });
  });
});

describe('the shared memory', () => {
  test('is the same ledger wherever it is opened', () => {
    const { ledger, reader } = ledgerOf();
    TruthLedger.open(ledger.buffer).offered(SECOND, 0, 1);
    ledger.offered(SECOND, 0, 1);
    expect(reader.rows(SECOND, NAMES)[0]?.packets.offered).toBe(2);
  });

  test('is refused when it is something else', () => {
    const foreign = new SharedArrayBuffer(4096);
    expect(() => TruthLedger.open(foreign)).toThrow(expect.objectContaining({ code: 'ring_mismatch' }));
    expect(() => new LedgerReader(foreign)).toThrow(expect.objectContaining({ code: 'ring_mismatch' }));
    const { ledger } = ledgerOf();
    const torn = new SharedArrayBuffer(ledger.buffer.byteLength - 8);
    new Uint8Array(torn).set(new Uint8Array(ledger.buffer, 0, torn.byteLength));
    expect(() => TruthLedger.open(torn)).toThrow(expect.objectContaining({ code: 'ring_mismatch' }));
  });
});
