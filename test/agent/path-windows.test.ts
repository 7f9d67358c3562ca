/** When a path's window may be sealed, and that sealing it is final. */

import { describe, expect, it } from 'vitest';
import { NS_PER_MS } from '../../src/base/units.ts';
import { pathRig, TMAX_NS, windowAt } from './ring-rig.ts';

const WINDOW = windowAt(0);
const MS = NS_PER_MS;

describe('a window that was read', () => {
  it('is sealed: later replies are stragglers and change neither it nor the next one', () => {
    const { rig, read } = pathRig();
    const slot = rig.sent(0, 0);
    const first = read();
    const before = structuredClone(first);
    expect(rig.writer.fateOfReply(0, slot, 0, true)).toBe('straggler');
    for (const ms of [1, 2]) rig.received(0, WINDOW.endNs + ms, { rawNs: ms * MS });
    expect(read(windowAt(WINDOW.endNs)).counts).toMatchObject({ due: 2, received: 2, lost: 0 });
    expect(first).toEqual(before);
  });

  it('leaves nothing behind in the figures of the next', () => {
    const { rig, read } = pathRig();
    for (let probe = 0; probe < 50; probe += 1) rig.received(0, probe, { rawNs: 50 * MS });
    rig.sent(0, 50);
    read();
    rig.received(0, WINDOW.endNs, { rawNs: MS });
    const next = read(windowAt(WINDOW.endNs));
    expect(next).toMatchObject({ rtt: { n: 1, max_ns: MS }, ipdv: null, seconds_with_loss: [] });
    expect(next.histogram?.buckets).toHaveLength(1);
  });
});

describe('a window is settled', () => {
  const lastDueNs = WINDOW.endNs - 50 * MS;

  it('when every probe has its outcome', () => {
    const { rig, isSettled } = pathRig();
    rig.received(0, 0, { rawNs: MS });
    rig.refused(0, 100 * MS, 1);
    rig.missed(0, lastDueNs);
    expect(isSettled(WINDOW.endNs)).toBe(true);
  });

  it('not while one is open, but when its Tmax is over', () => {
    const { rig, isSettled } = pathRig();
    rig.sent(0, lastDueNs);
    expect(isSettled(WINDOW.endNs)).toBe(false);
    expect(isSettled(lastDueNs + TMAX_NS + 1)).toBe(true);
  });

  it('not before the last probe that falls due in it has been opened', () => {
    const { rig, isSettled } = pathRig();
    rig.received(0, WINDOW.endNs - 101 * MS, { rawNs: MS });
    expect(isSettled(WINDOW.endNs, WINDOW.endNs - 1)).toBe(false);
    rig.received(0, WINDOW.endNs - MS, { rawNs: MS });
    expect(isSettled(WINDOW.endNs, WINDOW.endNs)).toBe(true);
  });

  it('whatever happens to probes of the next one', () => {
    const { rig, isSettled } = pathRig();
    rig.received(0, lastDueNs, { rawNs: MS });
    rig.sent(0, WINDOW.endNs);
    expect(isSettled(WINDOW.endNs)).toBe(true);
  });

  it('when nothing fell due', () => {
    expect(pathRig().isSettled(WINDOW.endNs)).toBe(true);
  });
});
