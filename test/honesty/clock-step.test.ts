/**
 * A step of CLOCK_REALTIME discards delays, never arrivals. The machine's clock is left alone, and no namespace covers it:
 * a stepped clock stands between the engine and the kernel, over real sockets. libfaketime would not do: it moves clock
 * readings and leaves the kernel's stamps where they are, which is not what a step looks like.
 */

import { afterEach, describe, expect, it } from 'vitest';
import { type Reflecting, startReflecting } from '../../src/probe/probing.ts';
import { rootMissing } from '../linux/privileges.ts';
import { LocalEngine } from './local-engine.ts';
import { type PeerPlan, probePlan, reflectorPlan } from './plans.ts';
import { spin, SteppedClock, SteppedTransport } from './stepped-clock.ts';

const LOCAL = '127.0.41.1';
const PEER = '127.0.41.2';
const PEERS: PeerPlan[] = [
  { name: 'stamp', address: PEER },
  { name: 'stamp', address: PEER },
  { name: 'icmp', address: PEER, kind: 'icmp' },
];
const STEPS_S = [10, -10, -10, 10, 3600, -3600, 2, -2];
const PROBES_BETWEEN = 60;
const SECOND_NS = 1e9;

describe.skipIf(rootMissing())(`a step of the clock (${rootMissing() ?? 'as root'})`, () => {
  let reflecting: Reflecting;
  let engine: LocalEngine;

  afterEach(async () => {
    engine.close();
    await reflecting.stop();
  });

  it.each([
    ['between two ticks', false],
    ['while probes are under way within a tick', true],
  ])('%s: every reply counts, and no delay has the step in it', async (_, withinTick) => {
    const plan = probePlan({ locals: [LOCAL], peers: PEERS, intervalMs: 4, rememberS: 16 });
    reflecting = await startReflecting(reflectorPlan(plan, [PEER]), (error) => {
      throw error;
    });
    const clock = new SteppedClock();
    let stepS = 0;
    const stepAfterSend = (): void => {
      if (stepS === 0) return;
      clock.step(stepS);
      stepS = 0;
      // The replies come after the step, and before the tick reads.
      spin(3);
    };
    engine = new LocalEngine(plan, {
      clock,
      between: (kernel) => new SteppedTransport(kernel, clock, stepAfterSend),
    });
    await engine.tickUntil(() => engine.due() > PROBES_BETWEEN);
    for (const seconds of STEPS_S) {
      if (withinTick) stepS = seconds;
      else clock.step(seconds);
      const due = engine.due();
      await engine.tickUntil(() => engine.due() > due + PROBES_BETWEEN);
    }
    const verdict = await engine.settle();
    expect(verdict.counters.clock_steps).toBe(STEPS_S.length);
    expect(Math.abs(verdict.counters.clock_step_max_ns / SECOND_NS - 3600)).toBeLessThan(0.01);
    const all = verdict.all();
    expect(all).toMatchObject({ lost: 0, refused: 0, void: 0, received: all.due - all.missed });
    const netNs = [...verdict.samples('stamp'), ...verdict.samples('icmp')].map((sample) => sample.netNs);
    const known = netNs.filter((ns) => !Number.isNaN(ns));
    expect(Math.min(...known)).toBeGreaterThan(0);
    expect(Math.max(...known)).toBeLessThan(SECOND_NS);
    // Most delays are kept: a step costs those of the probes around it.
    expect(known.length).toBeGreaterThan(netNs.length / 2);
    expect(known.length).toBeLessThan(netNs.length);
  });
});
