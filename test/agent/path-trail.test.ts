/** What a path's probes tell about the way, read out of a real ring. */

import { describe, expect, it } from 'vitest';
import { parseIp } from '../../src/linux/ip-text.ts';
import { PATH_WORD, SLOT_FLAG } from '../../src/ring/layout.ts';
import { offenderNumber } from '../../src/ring/offenders.ts';
import { LONG_AFTER_NS, pathRig, windowAt } from './ring-rig.ts';

const MS = 1e6;

describe('the summary of a path', () => {
  it('says who sent which ICMP error for how many lost probes, the most frequent first', () => {
    const { rig, read } = pathRig();
    const { views } = rig.writer;
    const router = parseIp('198.18.0.254');
    const other = parseIp('2001:db8::fe');
    const lose = (type: number, code: number, from: Uint8Array, dueNs: number): void =>
      rig.writer.unreachable(rig.sent(0, dueNs), type, code, offenderNumber(views, from, from.length));
    lose(3, 1, router, 0);
    lose(1, 4, other, 1);
    lose(3, 1, router, 2);
    rig.writer.unreachable(rig.sent(0, 3), 11, 0, 0);
    const { counts, unreachable_by } = read();
    expect(counts).toMatchObject({ lost: 4, unreachable: 4 });
    expect(unreachable_by).toEqual([
      { icmp_type: 3, icmp_code: 1, from: '198.18.0.254', count: 2 },
      { icmp_type: 1, icmp_code: 4, from: '2001:db8::fe', count: 1 },
      { icmp_type: 11, icmp_code: 0, from: null, count: 1 },
    ]);
    expect(read(windowAt(1e10)).unreachable_by).toEqual([]);
  });

  it('tells which way probes were lost, and carries the newest number into the next window', () => {
    const { rig, read } = pathRig();
    const receive = (dueNs: number, number: number): void => {
      const slot = rig.received(0, dueNs, { rawNs: MS });
      rig.writer.views.reflectorSequence[slot] = number;
    };
    receive(0, 10);
    rig.sent(0, 1);
    receive(2, 11);
    rig.sent(0, 3);
    receive(4, 13);
    rig.sent(0, 5);
    expect(read().loss_direction).toEqual({ forward: 1, reverse: 1, unresolved: 0, open: 1, restarts: 0 });
    receive(1e10, 15);
    expect(read(windowAt(1e10)).loss_direction).toEqual({
      forward: 0,
      reverse: 1,
      unresolved: 0,
      open: 0,
      restarts: 0,
    });
  });

  it.each(['stateless', 'twamp_light'] as const)('claims no direction with a %s reflector', (reflector) => {
    const { rig, read } = pathRig({ reflector });
    rig.sent(0, 0);
    expect(read().loss_direction).toBeNull();
  });

  it('has the hops of both directions and the runs of losses', () => {
    const { rig, read } = pathRig();
    const { senderTtl, replyTtl } = rig.writer.views;
    for (const [dueNs, there, back] of [
      [0, 250, 240],
      [1, 250, 241],
      [4, 249, 241],
    ] as const) {
      const slot = rig.received(0, dueNs, { rawNs: MS });
      senderTtl[slot] = there;
      replyTtl[slot] = back;
      if (dueNs === 1) for (const lostNs of [2, 3]) rig.sent(0, lostNs);
    }
    const { hops, loss_periods } = read();
    expect(hops.forward).toEqual({ n: 3, min: 5, max: 6, last: 6, changes: 1 });
    expect(hops.backward).toEqual({ n: 3, min: 14, max: 15, last: 14, changes: 1 });
    expect(loss_periods).toMatchObject({ periods: 1, length_max: 2, length_mean: 2, noticeable_rate: 0.5 });
  });

  it('has one-way delays where both clocks were synchronised, negative ones too, with their error', () => {
    const { rig, read } = pathRig();
    rig.probing.estimate[0] = 0x8f84; // S, 1 ms
    rig.writer.set(0, PATH_WORD.errorEstimate, 0x8587); // S, 1 us
    rig.received(0, 0, { rawNs: 5 * MS, residenceNs: MS, flags: SLOT_FLAG.synchronised });
    rig.received(0, 1, { rawNs: 7 * MS, residenceNs: MS });
    const { one_way, rtt } = read();
    expect(one_way?.forward.n).toBe(1);
    expect((one_way?.forward.sum_ns ?? 0) + (one_way?.backward.sum_ns ?? 0)).toBe(4 * MS);
    expect(Math.min(one_way?.forward.min_ns ?? 0, one_way?.backward.min_ns ?? 0)).toBeLessThan(0);
    expect(one_way?.error_ns).toBeGreaterThanOrEqual(1_001_000);
    expect(one_way?.error_ns).toBeLessThan(1_020_000);
    expect(rtt?.n).toBe(2);
  });

  it('counts replies to windows that were sealed already', () => {
    const { rig, read } = pathRig();
    rig.sent(0, 0);
    read(windowAt(0), LONG_AFTER_NS);
    rig.writer.fateOfReply(0, rig.writer.slotOf(0, 0), 0, false);
    expect(read(windowAt(1e10)).stragglers).toBe(1);
    expect(read(windowAt(2e10)).stragglers).toBe(0);
  });

  it('knows a reply that came damaged from one that never came', () => {
    const { rig, read } = pathRig({ kind: 'icmp' });
    rig.sent(0, 0, SLOT_FLAG.corrupt);
    rig.sent(0, 1);
    expect(read().counts).toMatchObject({ lost: 2, corrupt: 1 });
  });
});
