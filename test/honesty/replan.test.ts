/** A plan is changed while it runs: over real sockets on loopback, where nothing is lost, nothing may be called lost. */

import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { parseIp } from '../../src/linux/ip-text.ts';
import type { ProbePlan, ReflectorPlan } from '../../src/probe/plan.ts';
import { type Probing, type Reflecting, startProbing, startReflecting } from '../../src/probe/probing.ts';
import { rootMissing } from '../linux/privileges.ts';
import { nowNs } from './now.ts';
import { type PeerPlan, probePlan, reflectorPlan } from './plans.ts';
import { Verdict } from './verdict.ts';

const LOCAL = '127.0.6.1';
const REFLECTOR = '127.0.6.2';
const INTERVAL_MS = 2;
const TMAX_MS = 200;
const CHANGES = 200;

const PEERS: Record<string, PeerPlan> = {
  echo: { name: 'echo', address: REFLECTOR, kind: 'icmp' },
  kept: { name: 'kept', address: REFLECTOR },
  going: { name: 'going', address: REFLECTOR },
  coming: { name: 'coming', address: REFLECTOR },
};

const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

function fail(error: unknown): void {
  throw error;
}

/** Each peer keeps its SSID and echo path in every plan, wherever its path stands there. */
function planOf(names: readonly string[], change: Partial<ProbePlan['sockets'][number]> = {}): ProbePlan {
  const peers = names.flatMap((name) => PEERS[name] ?? []);
  const plan = probePlan({ locals: [LOCAL], peers, intervalMs: INTERVAL_MS, tmaxMs: TMAX_MS });
  const order = Object.keys(PEERS);
  return {
    ...plan,
    sockets: plan.sockets.map((socket) => (socket.kind === 'stamp' ? { ...socket, ...change } : socket)),
    paths: plan.paths.map((path) => {
      const name = order.indexOf(path.peer);
      return { ...path, echoPath: name, ssid: path.kind === 'stamp' ? name + 1 : 0 };
    }),
  };
}

function reflectorOf(plan: ProbePlan): ReflectorPlan {
  return reflectorPlan(plan, [REFLECTOR]);
}

function keptPaths(before: ProbePlan, after: ProbePlan): number[] {
  return after.paths.map(({ peer }) => before.paths.findIndex((path) => path.peer === peer));
}

function keptSessions(before: ReflectorPlan, after: ReflectorPlan): number[] {
  return after.sessions.map(({ ssid }) => before.sessions.findIndex((session) => session.ssid === ssid));
}

async function started(plan: ProbePlan): Promise<{ probing: Probing; reflecting: Reflecting }> {
  const reflecting = await startReflecting(reflectorOf(plan), fail);
  running.push(reflecting);
  const probing = await startProbing(plan, fail);
  running.push(probing);
  return { probing, reflecting };
}

async function replan(probing: Probing, plan: ProbePlan, kept: readonly number[]): Promise<Probing> {
  const next = await probing.change?.replan(plan, kept);
  if (!next) throw new Error('a thread that can change its plan expected');
  return next;
}

function verdictOf({ ring, counters }: Probing, plan: ProbePlan, untilNs: number): Verdict {
  return Verdict.ofRunning(plan, ring.views, counters, untilNs);
}

async function settled(probing: Probing, plan: ProbePlan): Promise<Verdict> {
  const untilNs = nowNs();
  await expect.poll(() => verdictOf(probing, plan, untilNs).isFinal, { timeout: 20_000, interval: 5 }).toBe(true);
  return verdictOf(probing, plan, untilNs);
}

async function atLeast(probing: Probing, path: number, probes: number): Promise<void> {
  await expect.poll(() => probing.ring.head(path), { timeout: 20_000, interval: 2 }).toBeGreaterThanOrEqual(probes);
}

const missing = rootMissing();

describe.skipIf(missing !== null)(`another plan${missing === null ? '' : ` (${missing})`}`, () => {
  it('goes on with what stays: no probe of it is lost, none is missing, however often the plan changes', async () => {
    const plans = [planOf(['echo', 'going', 'kept']), planOf(['kept', 'coming', 'echo'])] as const;
    let { probing, reflecting } = await started(plans[0]);
    for (let change = 1; change <= CHANGES; change += 1) {
      const [before, after] = change % 2 === 1 ? plans : ([plans[1], plans[0]] as const);
      await atLeast(
        probing,
        before.paths.findIndex(({ peer }) => peer === 'kept'),
        change * 5,
      );
      const [there, then] = [reflectorOf(before), reflectorOf(after)];
      reflecting = (await reflecting.replan?.(then, keptSessions(there, then))) ?? reflecting;
      probing = await replan(probing, after, keptPaths(before, after));
    }
    const verdict = await settled(probing, plans[0]);
    const [echo, kept] = [verdict.of('echo'), verdict.of('kept')];
    expect(echo.due).toBeGreaterThan(CHANGES * 5);
    expect(kept.due).toBeGreaterThan(CHANGES * 5);
    for (const { due, received, missed, lost, duplicate, refused } of [echo, kept]) {
      expect({ lost, duplicate, refused, outcomes: received + missed }).toEqual({
        lost: 0,
        duplicate: 0,
        refused: 0,
        outcomes: due,
      });
    }
    const path = plans[0].paths.findIndex(({ peer }) => peer === 'kept');
    const { views } = probing.ring;
    const numbers = Array.from({ length: probing.ring.head(path) }, (_, at) => probing.ring.slotOf(path, at))
      .filter((slot) => views.state[slot] === 3)
      .map((slot) => views.reflectorSequence[slot] ?? -1);
    // The reflector goes on counting, so no restart of it is seen: each reply has the next number.
    expect(numbers).toEqual(numbers.map((_, at) => at));
  });

  it('changes the key of a session while its packets are on their way', async () => {
    const [old, fresh] = [randomBytes(32), randomBytes(32)];
    const keyed = (...keys: Uint8Array[]): ProbePlan => {
      const plan = planOf(['kept']);
      return { ...plan, paths: plan.paths.map((path) => ({ ...path, sizeBytes: 112, keys })) };
    };
    const reflectorWith = (...keys: Uint8Array[]): ReflectorPlan => {
      const plan = reflectorOf(planOf(['kept']));
      return { ...plan, sessions: plan.sessions.map((session) => ({ ...session, keys })) };
    };
    let reflecting = await startReflecting(reflectorWith(old), fail);
    running.push(reflecting);
    let probing = await startProbing(keyed(old), fail);
    running.push(probing);
    // The order of docs/configuration.md: known everywhere, then used, then the old one forgotten.
    const steps: [Uint8Array[], Uint8Array[]][] = [
      [
        [old, fresh],
        [old, fresh],
      ],
      [
        [fresh, old],
        [fresh, old],
      ],
      [[fresh], [fresh]],
    ];
    let due = 0;
    for (const [there, here] of steps) {
      await atLeast(probing, 0, (due += 30));
      reflecting = (await reflecting.replan?.(reflectorWith(...there), [0])) ?? reflecting;
      probing = await replan(probing, keyed(...here), [0]);
    }
    await atLeast(probing, 0, due + 30);
    const verdict = await settled(probing, keyed(fresh));
    expect(verdict.of('kept').due).toBeGreaterThan(due);
    expect(verdict.of('kept')).toMatchObject({ lost: 0, refused: 0 });
    expect(probing.counters.get('reply_bad_mac') + reflecting.counters.get('drop_bad_mac')).toBe(0);
  });

  it('lets a path that goes end at an instant, with the outcome of every probe before it', async () => {
    const [before, after] = [planOf(['going', 'kept']), planOf(['kept'])];
    const { probing } = await started(before);
    await atLeast(probing, 0, 20);
    const stopNs = nowNs() + 50e6;
    await probing.change?.stopAt([0], stopNs);
    await expect.poll(() => probing.ring.horizonNs() > stopNs + TMAX_MS * 1e6, { timeout: 20_000 }).toBe(true);
    const verdict = await settled(probing, before);
    const going = verdict.of('going');
    expect({ lost: going.lost, open: going.due - going.received - going.missed }).toEqual({ lost: 0, open: 0 });
    const last = probing.ring.slotOf(0, probing.ring.head(0) - 1);
    const lastDueNs = probing.ring.views.dueNs[last] ?? 0;
    expect(lastDueNs).toBeLessThan(stopNs);
    expect(lastDueNs).toBeGreaterThan(stopNs - 2 * INTERVAL_MS * 1e6);
    const next = await replan(probing, after, [1]);
    await atLeast(next, 0, verdict.of('kept').due + 20);
    expect((await settled(next, after)).of('kept').lost).toBe(0);
  });

  it('sets a socket up anew whose port stays, where the old one is bound', async () => {
    const [before, after] = [planOf(['kept']), planOf(['kept'], { dscp: 46, payloadBytes: 1000 })];
    const { probing } = await started(before);
    await atLeast(probing, 0, 20);
    const next = await replan(probing, after, [-1]);
    await atLeast(next, 0, 20);
    const verdict = await settled(next, after);
    expect(verdict.of('kept')).toMatchObject({ lost: 0, refused: 0 });
    expect(verdict.of('kept').provenance).toMatchObject({ tx_user: 0 });
  });

  it('changes nothing when one of its sockets is not to be had', async () => {
    const before = planOf(['kept', 'echo']);
    const after = planOf(['kept', 'echo'], { address: parseIp('192.0.2.1') });
    const { probing } = await started(before);
    await atLeast(probing, 0, 20);
    await expect(probing.change?.replan(after, [0, 1])).rejects.toMatchObject({ code: 'syscall_failed' });
    const due = probing.ring.head(0);
    await atLeast(probing, 0, due + 20);
    const verdict = await settled(probing, before);
    expect([verdict.of('kept').lost, verdict.of('echo').lost]).toEqual([0, 0]);
  });

  it('makes a path that was to stop go on, and begins one anew that has stopped', async () => {
    const plan = planOf(['kept', 'going']);
    const { probing } = await started(plan);
    await atLeast(probing, 0, 20);
    await probing.change?.stopAt([1], nowNs());
    const stopped = probing.ring.head(1);
    await atLeast(probing, 0, probing.ring.head(0) + 20);
    expect(probing.ring.head(1)).toBeLessThanOrEqual(stopped + 1);
    await probing.change?.stopAt([], 0);
    await atLeast(probing, 1, stopped + 20);
    expect((await settled(probing, plan)).of('going').lost).toBe(0);
  });
});
