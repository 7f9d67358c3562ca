/** Starts, stops and window boundaries lose nothing: every probe is reported once, and none as lost that was not. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SummaryBody } from '../../src/agent/seal.ts';
import { Summarizer } from '../../src/agent/summarize.ts';
import { sealDelayNs, Windows } from '../../src/agent/windows.ts';
import { UNKNOWN_CLOCK } from '../../src/linux/clock-state.ts';
import { SystemClock } from '../../src/linux/system-clock.ts';
import type { ProbePlan } from '../../src/probe/plan.ts';
import { type Reflecting, startProbing, startReflecting } from '../../src/probe/probing.ts';
import { emptyCounts } from '../../src/stats/outcomes.ts';
import { peersOf } from '../agent/summary-body.ts';
import { rootMissing } from '../linux/privileges.ts';
import { LocalEngine } from './local-engine.ts';
import { type PeerPlan, probePlan, reflectorPlan } from './plans.ts';
import type { Verdict } from './verdict.ts';

const LOCAL = '127.0.45.1';
const PEER = '127.0.45.2';
const PEERS: PeerPlan[] = [
  { name: 'stamp', address: PEER },
  { name: 'stamp', address: PEER },
  { name: 'icmp', address: PEER, kind: 'icmp' },
];
const RESTARTS = 1000;
const WINDOW_S = 1;
const WINDOWS = 8;

describe.skipIf(rootMissing())(`boundaries (${rootMissing() ?? 'as root'})`, () => {
  const planOf = (rememberS: number): ProbePlan => ({
    ...probePlan({ locals: [LOCAL], peers: PEERS, intervalMs: 1, tickMs: 1, rememberS }),
    windowS: WINDOW_S,
  });
  let reflecting: Reflecting;

  beforeEach(async () => {
    reflecting = await startReflecting(reflectorPlan(planOf(1), [PEER]), fail);
  });
  afterEach(() => reflecting.stop());

  it(`of ${RESTARTS} engines that probe for some milliseconds, on a path that loses nothing`, async () => {
    const plan = planOf(2);
    const total = { due: 0, received: 0, lost: 0, refused: 0, unfinished: 0, strange: 0 };
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      // Every other one stops with probes still out: their replies come to the next one's sockets.
      const waits = restart % 2 === 0;
      const verdict = await probeBriefly(plan, waits);
      const { due, received, lost, refused, void: unfinished } = verdict.all();
      total.due += due;
      total.received += received;
      total.lost += lost;
      total.refused += refused;
      total.unfinished += unfinished;
      total.strange += verdict.counters.reply_unknown_probe;
      expect(waits && unfinished > 0).toBe(false);
    }
    expect(total).toMatchObject({ lost: 0, refused: 0 });
    expect(total.received).toBeGreaterThan(RESTARTS * 6);
    // What came for the engine before is nobody's reply, and never taken for an answer of this one's.
    expect(total.strange).toBeLessThanOrEqual(total.unfinished);
  });

  it('of windows: what is summarised is what was probed, each probe once', async () => {
    const plan = planOf(4);
    const probing = await startProbing(plan, fail);
    const identity = { pop: 'here', bootId: 'boot', configDigest: 'digest', software: 'test', transportReason: null };
    const summarizer = new Summarizer({
      identity,
      plan,
      sessions: [],
      probing,
      reflecting,
      clockState: () => UNKNOWN_CLOCK,
    });
    const clock = new SystemClock();
    const windows = new Windows(WINDOW_S, clock);
    const total = emptyCounts();
    const add = (body: SummaryBody): void => {
      for (const { counts } of peersOf(body).flatMap((peer) => peer.paths)) {
        for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
      }
    };
    for (let sealed = 0; sealed < WINDOWS; ) {
      await sleep(50);
      clock.read();
      const window = windows.ended(clock);
      if (!window) continue;
      const isDue = clock.monoNs - window.endNs >= sealDelayNs(plan.tmaxNs, plan.tickNs);
      if (!isDue && !summarizer.isSettled(window, clock.monoNs)) continue;
      add(summarizer.summarize(window, clock.monoNs));
      windows.take();
      sealed += 1;
    }
    await probing.stop();
    clock.read();
    add(summarizer.summarize(windows.cutOff(clock), clock.monoNs));
    const due = plan.paths.reduce((sum, _, path) => sum + probing.ring.head(path), 0);
    expect(total.due).toBe(due);
    expect(due).toBeGreaterThan(WINDOWS * PEERS.length * 500);
    expect(total).toMatchObject({ lost: 0, refused: 0, duplicate: 0, reordered: 0 });
    expect(total.received + total.missed + total.void).toBe(due);
    // Only of the last moment, before the threads stopped.
    expect(total.void).toBeLessThan(PEERS.length * 100);
  });
});

/** A whole life of an engine; `waits` until its last reply has come. */
async function probeBriefly(plan: ProbePlan, waits: boolean): Promise<Verdict> {
  const engine = new LocalEngine(plan);
  try {
    await engine.tickUntil(() => engine.due() > 12);
    if (waits) await engine.tickUntil(() => engine.verdict().all().void === 0);
    return engine.verdict();
  } finally {
    engine.close();
  }
}

function fail(error: unknown): never {
  throw error;
}
