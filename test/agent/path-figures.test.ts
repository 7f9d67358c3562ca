/** A path's figures: probes of known outcome go into a real ring, and exactly they come out. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NS_PER_MS, NS_PER_S } from '../../src/base/units.ts';
import type { PathPlan } from '../../src/probe/plan.ts';
import type { SummaryPath } from '../../src/protocol/summary.ts';
import { SLOT_FLAG, STAMP_SOURCE } from '../../src/ring/layout.ts';
import { outcomesBalance } from '../../src/stats/outcomes.ts';
import { pathRig, type Reply, type RingRig, TMAX_NS, windowAt } from './ring-rig.ts';

const WINDOW = windowAt(0);
const MS = NS_PER_MS;

/** The figures of one received probe. */
function figuresOf(reply: Reply, overrides: Partial<PathPlan> = {}): SummaryPath {
  const { rig, read } = pathRig(overrides);
  rig.received(0, 0, reply);
  return read();
}

describe('counts', () => {
  it('name what became of each probe, and what stands beside', () => {
    const { rig, read } = pathRig();
    rig.received(0, 0, { rawNs: 5 * MS });
    rig.received(0, 1, { rawNs: 5 * MS, duplicates: 2 });
    rig.received(0, 2, { rawNs: 5 * MS, flags: SLOT_FLAG.reordered });
    rig.received(0, 3, { rawNs: 5 * MS, flags: SLOT_FLAG.unreachable });
    rig.sent(0, 4);
    rig.late(0, 5);
    rig.late(0, 6, SLOT_FLAG.unreachable | SLOT_FLAG.reordered);
    rig.unreachable(0, 7);
    for (const errno of [105, 1, 105]) rig.refused(0, 8, errno);
    rig.missed(0, 9);
    const { counts, refused_by_errno } = read();
    expect(counts).toEqual({
      due: 12,
      received: 4,
      lost: 4,
      refused: 3,
      missed: 1,
      void: 0,
      late: 2,
      unreachable: 1,
      corrupt: 0,
      duplicate: 2,
      reordered: 1,
    });
    expect(refused_by_errno).toEqual([
      [1, 1],
      [105, 2],
    ]);
  });

  it('call a probe void that is still open when the agent stops, and lost once Tmax is over', () => {
    const counts = (nowNs: number) => {
      const { rig, read } = pathRig();
      rig.sent(0, 0);
      return read(WINDOW, nowNs).counts;
    };
    expect(counts(TMAX_NS)).toMatchObject({ due: 1, void: 1, lost: 0 });
    expect(counts(TMAX_NS + 1)).toMatchObject({ due: 1, void: 0, lost: 1 });
  });

  it('take a probe into the window in which it fell due, the end excluded', () => {
    const { rig, read } = pathRig();
    for (const dueNs of [0, WINDOW.endNs - 1, WINDOW.endNs, WINDOW.endNs + 1]) rig.received(0, dueNs, { rawNs: 1 });
    expect(read().counts.due).toBe(2);
    expect(read(windowAt(WINDOW.endNs)).counts.due).toBe(2);
    expect(read(windowAt(2 * WINDOW.endNs)).counts.due).toBe(0);
  });

  it('add up to the probes that fell due, whatever happened to them', () => {
    const acts: Record<string, (rig: RingRig, dueNs: number, size: number) => void> = {
      received: (rig, dueNs, size) =>
        rig.received(0, dueNs, { rawNs: size, residenceNs: size % 3, duplicates: size % 2 }),
      stepped: (rig, dueNs, size) => rig.received(0, dueNs, { rawNs: -size, flags: SLOT_FLAG.delayVoid }),
      lost: (rig, dueNs) => rig.sent(0, dueNs),
      late: (rig, dueNs) => rig.late(0, dueNs),
      unreachable: (rig, dueNs) => rig.unreachable(0, dueNs),
      refused: (rig, dueNs, size) => rig.refused(0, dueNs, size % 133),
      missed: (rig, dueNs) => rig.missed(0, dueNs),
    };
    const probe = fc.tuple(fc.constantFrom(...Object.keys(acts)), fc.integer({ min: 4, max: 4 * MS }));
    fc.assert(
      fc.property(fc.array(probe, { maxLength: 200 }), (probes) => {
        const { rig, read } = pathRig();
        for (const [index, [act, size]] of probes.entries()) acts[act]?.(rig, index * 10 * MS, size);
        const { counts, refused_by_errno, rtt, histogram, seconds_with_loss } = read();
        const count = (...names: string[]): number => probes.filter(([act]) => names.includes(act)).length;
        expect(outcomesBalance(counts)).toBe(true);
        expect(counts).toMatchObject({
          due: probes.length,
          received: count('received', 'stepped'),
          lost: count('lost', 'late', 'unreachable'),
          refused: count('refused'),
          missed: count('missed'),
          void: 0,
          late: count('late'),
          unreachable: count('unreachable'),
        });
        expect(refused_by_errno.reduce((sum, [, n]) => sum + n, 0)).toBe(counts.refused);
        expect(rtt?.n ?? 0).toBe(count('received'));
        expect(histogram?.buckets.reduce((sum, [, n]) => sum + n, 0) ?? 0).toBe(count('received'));
        expect(seconds_with_loss.reduce((sum, [, , lost]) => sum + lost, 0)).toBe(counts.lost);
      }),
    );
  });
});

describe('round trips', () => {
  it('of STAMP are net of the residence time, with the raw ones and the residence beside', () => {
    const { rtt, rtt_raw, residence } = figuresOf({ rawNs: 12 * MS, residenceNs: 40_001, txDeltaNs: 7000 });
    expect([rtt?.mean_ns, rtt_raw?.mean_ns, residence?.mean_ns]).toEqual([12 * MS - 40_001, 12 * MS, 40_001]);
  });

  it('of ICMP are raw, and there is nothing beside', () => {
    const { rtt, rtt_raw, residence } = figuresOf({ rawNs: 12 * MS, residenceNs: 40_001 }, { kind: 'icmp' });
    expect([rtt?.mean_ns, rtt_raw, residence]).toEqual([12 * MS, null, null]);
  });

  it.each([
    ['the clock was stepped', { rawNs: 5 * MS, flags: SLOT_FLAG.delayVoid }],
    ['the residence time is negative', { rawNs: 5 * MS, residenceNs: -1 }],
    ['the residence time is all of it', { rawNs: 5 * MS, residenceNs: 5 * MS }],
    ['the reply came before the probe', { rawNs: -1 }],
  ])('are left out when %s, though the probe arrived', (_, reply) => {
    const { rig, read } = pathRig();
    rig.received(0, 0, reply);
    expect(read()).toMatchObject({
      counts: { received: 1, lost: 0 },
      rtt: null,
      rtt_raw: null,
      residence: null,
      histogram: null,
      ipdv: null,
      provenance: { tx_kernel: 1, rx_kernel: 1 },
    });
  });

  it('have the figures of a known sample', () => {
    const { rig, read } = pathRig();
    for (const ms of [4, 1, 3, 2]) rig.received(0, ms, { rawNs: ms * MS + 500, residenceNs: 500 });
    rig.sent(0, 5);
    expect(read().rtt).toEqual({
      n: 4,
      sum_ns: 10 * MS,
      min_ns: MS,
      mean_ns: 2.5 * MS,
      max_ns: 4 * MS,
      stddev_ns: 1_118_034,
      p50_ns: 2.5 * MS,
      p95_ns: 4 * MS,
      p99_ns: 4 * MS,
      p999_ns: 4 * MS,
    });
  });
});

describe('provenance', () => {
  it('counts where the stamps of received probes were taken', () => {
    const { rig, read } = pathRig();
    const sources = Object.values(STAMP_SOURCE);
    for (const txSource of sources) {
      for (const rxSource of sources) rig.received(0, 0, { rawNs: MS, txSource, rxSource });
    }
    rig.received(0, 0, { rawNs: MS, txSource: STAMP_SOURCE.user, rxSource: STAMP_SOURCE.hardware });
    rig.late(0, 0);
    expect(read().provenance).toEqual({
      tx_hardware: 3,
      tx_kernel: 3,
      tx_user: 4,
      rx_hardware: 4,
      rx_kernel: 3,
      rx_user: 3,
    });
  });
});

describe('IPDV', () => {
  it('is signed, in send order', () => {
    const { rig, read } = pathRig();
    for (const ms of [10, 13, 11]) rig.received(0, ms, { rawNs: ms * MS });
    const meanAbsNs = 2.5 * MS;
    expect(read().ipdv).toEqual({ n: 2, mean_abs_ns: meanAbsNs, p95_abs_ns: 3 * MS, min_ns: -2 * MS, max_ns: 3 * MS });
  });

  it.each<[string, (rig: RingRig) => unknown]>([
    ['lost', (rig) => rig.sent(0, 1)],
    ['late', (rig) => rig.late(0, 1)],
    ['refused', (rig) => rig.refused(0, 1, 1)],
    ['missed', (rig) => rig.missed(0, 1)],
    ['received without a delay', (rig) => rig.received(0, 1, { rawNs: MS, flags: SLOT_FLAG.delayVoid })],
  ])('makes no pair across a probe that was %s', (_, hole) => {
    const { rig, read } = pathRig();
    rig.received(0, 0, { rawNs: 10 * MS });
    hole(rig);
    rig.received(0, 2, { rawNs: 20 * MS });
    rig.received(0, 3, { rawNs: 21 * MS });
    expect(read().ipdv).toMatchObject({ n: 1, min_ns: MS, max_ns: MS });
  });
});

describe('seconds', () => {
  it('are good, bad or unknown by what fell due in them, and those with loss are listed', () => {
    const { rig, seconds, read } = pathRig();
    rig.received(0, 0, { rawNs: 5 * MS });
    rig.sent(0, 999_999_999);
    rig.sent(0, NS_PER_S);
    rig.refused(0, 2 * NS_PER_S, 1);
    rig.missed(0, 3 * NS_PER_S);
    for (const afterNs of [1, 2]) rig.received(0, 9 * NS_PER_S + afterNs, { rawNs: 7 * MS, residenceNs: MS });
    rig.late(0, 10 * NS_PER_S - 1);
    expect(read().seconds_with_loss).toEqual([
      [0, 2, 1, 5 * MS],
      [1, 1, 1, 0],
      [9, 3, 1, 12 * MS],
    ]);
    expect(String(seconds)).toBe('gbuuuuuuug');
  });

  it('are counted from the begin of their window', () => {
    const { rig, seconds, read } = pathRig();
    rig.sent(0, WINDOW.endNs + 2.5 * NS_PER_S);
    expect(read(windowAt(WINDOW.endNs)).seconds_with_loss).toEqual([[2, 1, 1, 0]]);
    expect(String(seconds)).toBe('uubuuuuuuu');
  });

  it('of a window made longer by a clock step hold all of its probes', () => {
    const { rig, seconds, read } = pathRig();
    rig.sent(0, 25 * NS_PER_S);
    const { seconds_with_loss } = read({ ...WINDOW, endNs: 30 * NS_PER_S });
    expect(seconds_with_loss).toEqual([[9, 1, 1, 0]]);
    expect(String(seconds)).toBe('uuuuuuuuub');
  });
});
