/** A probing thread that is held up in the middle of its work, by a busy host, blames nobody else for it. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Reflecting, startReflecting } from '../../src/probe/probing.ts';
import type { Transport, TransportEvents } from '../../src/probe/transport.ts';
import { rootMissing } from '../linux/privileges.ts';
import { LocalEngine, type LocalParts } from './local-engine.ts';
import { type PeerPlan, probePlan, reflectorPlan } from './plans.ts';
import { spin } from './stepped-clock.ts';

const LOCAL = '127.0.42.1';
const PEER = '127.0.42.2';
const PEERS: PeerPlan[] = [
  { name: 'stamp', address: PEER },
  { name: 'icmp', address: PEER, kind: 'icmp' },
];
const TMAX_MS = 400;
const INTERVAL_MS = 5;

describe.skipIf(rootMissing())(`a late thread (${rootMissing() ?? 'as root'})`, () => {
  const plan = probePlan({ locals: [LOCAL], peers: PEERS, intervalMs: INTERVAL_MS, tmaxMs: TMAX_MS, rememberS: 8 });
  let reflecting: Reflecting;
  let engine: LocalEngine;

  beforeEach(async () => {
    reflecting = await startReflecting(reflectorPlan(plan, [PEER]), (error) => {
      throw error;
    });
  });
  afterEach(async () => {
    engine.close();
    await reflecting.stop();
  });

  it('has read nothing for longer than Tmax: what waits for it is not called lost before it has looked', async () => {
    engine = new LocalEngine(plan);
    await engine.tickUntil(() => engine.verdict().all().received > 20);
    // Probes are out, their answers come, and the thread does not go on.
    while (engine.verdict().all().void === 0) engine.tick();
    spin(2 * TMAX_MS);
    expect(engine.verdict().all().lost).toBe(0);
    const { lost, void: open, received, missed, ...all } = (await engine.settle()).all();
    expect({ lost, open, received }).toEqual({ lost: 0, open: 0, received: all.due - missed });
    expect(missed).toBeGreaterThan(TMAX_MS / INTERVAL_MS);
  });

  it.each([
    ['longer than Tmax', { txStamps: true }, 3 * TMAX_MS],
    ['longer than Tmax, without TX stamps', { txStamps: false }, 3 * TMAX_MS],
    ['not that long, without TX stamps', { txStamps: false }, TMAX_MS / 2],
  ])('is held up between T1 and the send, %s: neither loss nor delay', async (_, socket, holdMs) => {
    let holds = 2;
    let isArmed = false;
    const hold = (): void => {
      if (!isArmed || holds === 0) return;
      holds -= 1;
      spin(holdMs);
    };
    const parts: LocalParts = { socket, between: (kernel) => holding(kernel, hold) };
    engine = new LocalEngine(plan, parts);
    await engine.tickUntil(() => engine.verdict().all().received > 20);
    isArmed = true;
    await engine.tickUntil(() => holds === 0);
    const verdict = await engine.settle();
    const all = verdict.all();
    expect(all).toMatchObject({ lost: 0, refused: 0, received: all.due - all.missed - all.void });
    expect(all.missed).toBeGreaterThan(holdMs / INTERVAL_MS);
    // One batch a hold, in which a tick that was late has two probes of a path; where it could be told when its probes left,
    // not even those.
    expect(all.void).toBeLessThanOrEqual(2 * 2 * PEERS.length);
    for (const { name } of PEERS) {
      const netNs = verdict.samples(name).map((sample) => sample.netNs);
      expect(Math.max(...netNs)).toBeLessThan((holdMs / 2) * 1e6);
      expect(netNs.length).toBe(verdict.of(name).received);
    }
  });
});

/** A transport that calls `before` whenever packets are handed to the kernel. */
function holding(kernel: Transport, before: () => void): Transport {
  return {
    name: kernel.name,
    outgoing: kernel.outgoing,
    readDrops: () => kernel.readDrops(),
    prepare: (...args) => kernel.prepare(...args),
    send(count: number, cookies: Int32Array, events: TransportEvents) {
      before();
      kernel.send(count, cookies, events);
    },
    receive: (events) => kernel.receive(events),
    close: () => kernel.close(),
  };
}
