/** Configurations that follow one another within a window: whatever they are, its summary is one that a collector takes. */

import { beforeEach, describe, expect, it } from 'vitest';
import { type CourseParts, type HeldCourse, planCourse, takeCourse } from '../../src/agent/course.ts';
import { Reload, type ReloadParts } from '../../src/agent/reload.ts';
import type { Identity } from '../../src/agent/summarize.ts';
import { Windows } from '../../src/agent/windows.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_S } from '../../src/base/units.ts';
import type { AgentConfig } from '../../src/config/agent-config.ts';
import type { ProbeClass } from '../../src/config/mesh-config.ts';
import { UNKNOWN_CLOCK } from '../../src/linux/clock-state.ts';
import type { ProbePlan } from '../../src/probe/plan.ts';
import type { Probing, Reflecting } from '../../src/probe/probing.ts';
import { ReflectedTally } from '../../src/probe/reflected-tally.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { parseSummary } from '../../src/protocol/parse-summary.ts';
import type { Summary, SummaryReflected } from '../../src/protocol/summary.ts';
import { FakeClock } from '../probe/fake-clock.ts';
import { buildKey, octetsOf } from '../protocol/summary-fixture.ts';
import { popOf, UNLIMITED } from './arbitrary-mesh.ts';
import { RingRig } from './ring-rig.ts';
import { silentLog } from './spool-fixture.ts';
import { peersOf } from './summary-body.ts';

const WINDOW_S = 10;

const IDENTITY: Identity = {
  pop: 'pop1',
  bootId: '6f1c8f6e-3f0a-4c44-9a37-5d3a5b8f0d11',
  configDigest: digestOf(Buffer.from('mesh.yaml')),
  software: 'popprobe/0.1.0',
  transportReason: null,
};

/** A class of as many flows as a mesh may have. */
function fullClass(name: string, sourcePort: number): ProbeClass {
  const common = { family: 'ipv4', intervalMs: 1000, sizeBytes: 44, dscp: 0 } as const;
  return { name, kind: 'stamp', ...common, flows: LIMITS.flowsMax, sourcePort, authenticated: false, tlvs: [] };
}

const [ONE, TWO, THREE] = [fullClass('one', 19_000), fullClass('two', 19_100), fullClass('three', 19_200)];

/** PoP 1 of a mesh whose other PoP sends it this class. The configuration is named by its class. */
function configOf(probeClass: ProbeClass): AgentConfig {
  return {
    pop: 'pop1',
    mesh: {
      ...UNLIMITED,
      name: 'm',
      windowS: WINDOW_S,
      tmaxMs: 1000,
      pops: [popOf(1), popOf(2)],
      probes: [probeClass],
    },
    keyFile: '/k',
    nextKeyFile: null,
    stampKeys: null,
    reflector: { mode: 'stateful', packetsPerSecondPerSession: 200, twampSenders: [] },
    collector: { urls: ['http://198.18.0.9'], caFile: null, clientCertificate: null, proxy: null },
    spool: { directory: '/s', maxBytes: 1e6, maxAgeH: 24 },
    statusSocket: '/run/s',
    tickMs: 10,
    transport: 'auto',
    logLevel: 'silent',
    digest: probeClass.name,
  };
}

let isReplanning: boolean;

/** A probing thread that takes every plan, unless it is told otherwise. */
function probingOf(plan: ProbePlan): Probing {
  const { probing } = new RingRig(plan.paths, 0, WINDOW_S);
  return {
    ...probing,
    change: {
      stopAt: async () => undefined,
      replan: async (after) => {
        if (!isReplanning) throw new Error('no such socket');
        return probingOf(after);
      },
    },
  };
}

/** A reflecting thread that takes every plan and goes on counting, as the real one. */
function reflectingOf(tally: ReflectedTally, counters: Reflecting['counters']): Reflecting {
  return {
    counters,
    tally,
    async replan(plan, kept) {
      const next = new ReflectedTally(plan.sessions.length, plan.windowS);
      next.continue(tally, kept);
      return reflectingOf(next, counters);
    },
    stop: async () => undefined,
  };
}

let clock: FakeClock;
let held: HeldCourse;
let sealing: { readUntilNs: number } & ReloadParts['sealing'];
let next: AgentConfig;
let reload: Reload;
let windows: Windows;

beforeEach(async () => {
  isReplanning = true;
  clock = new FakeClock();
  windows = new Windows(WINDOW_S, clock);
  const courseParts: CourseParts = {
    session: 1,
    clock,
    clockState: () => UNKNOWN_CLOCK,
    identity: () => IDENTITY,
  };
  const planned = await planCourse(configOf(ONE), courseParts);
  const { reflecting } = new RingRig([], planned.reflector.plan.sessions.length, WINDOW_S);
  const threads = { probing: probingOf(planned.plan), reflecting: reflectingOf(reflecting.tally, reflecting.counters) };
  held = { course: takeCourse(planned, threads, courseParts) };
  sealing = { readUntilNs: Number.NEGATIVE_INFINITY, exclusively: (task) => task(), use: () => undefined };
  const key = await buildKey();
  const keys: ReloadParts['keys'] = {
    read: async () => ({ key, next: null }),
    check: () => undefined,
    use: async () => undefined,
  };
  const load: ReloadParts['load'] = async () => ({ config: next, problems: [] });
  reload = new Reload({ load, held, courseParts, traces: { use: () => undefined }, sealing, keys, log: silentLog });
});

async function reloadTo(probeClass: ProbeClass): Promise<void> {
  next = configOf(probeClass);
  await reload.request();
}

/** Ends the window that runs, and gives what a collector makes of its summary. Throws when it would refuse it. */
async function sealedWindow(): Promise<Summary> {
  clock.advance(WINDOW_S * NS_PER_S);
  clock.read();
  const window = windows.ended(clock);
  if (window === null) throw new Error('a window that has ended expected');
  windows.take();
  const body = held.course.summarizer.summarize(window, clock.monoNs);
  sealing.readUntilNs = window.endNs;
  const summary = parseSummary(octetsOf({ ...body, peers: peersOf(body), sequence: 1, prev: null }));
  await reload.turn();
  return summary;
}

function reflectedIn({ peers }: Summary): SummaryReflected[] {
  return peers.flatMap(({ reflected }) => reflected);
}

/** Names of the classes of which something was reflected, and of how many flows each. */
function flowsByClass(summary: Summary): Record<string, number> {
  const flows: Record<string, number> = {};
  for (const { class: name } of reflectedIn(summary)) flows[name] = (flows[name] ?? 0) + 1;
  return flows;
}

describe('the summary of a window with a reload in it', () => {
  it('names the sessions of both configurations, also when these have nothing in common', async () => {
    await reloadTo(TWO);
    expect(flowsByClass(await sealedWindow())).toEqual({ one: LIMITS.flowsMax, two: LIMITS.flowsMax });
    expect(flowsByClass(await sealedWindow())).toEqual({ two: LIMITS.flowsMax });
  });

  it('names them after as many reloads as there is room for: what goes beyond is refused until the staged one is taken', async () => {
    await reloadTo(TWO);
    await reloadTo(THREE);
    expect(reload.status()).toMatchObject({ staged: { digest: 'two' }, refused: 1 });
    expect(reload.status().lastRefusal).toMatch(/32 STAMP sessions .* found 48 .* reload again/);
    await reloadTo(ONE);
    await reloadTo(TWO);
    expect(reload.status().refused).toBe(1);
    expect(flowsByClass(await sealedWindow())).toEqual({ one: LIMITS.flowsMax, two: LIMITS.flowsMax });
    await reloadTo(THREE);
    expect(flowsByClass(await sealedWindow())).toEqual({ two: LIMITS.flowsMax, three: LIMITS.flowsMax });
    expect(reload.status()).toMatchObject({ digest: 'three', staged: null, taken: 2, refused: 1 });
  });

  it('is not kept from another one by a configuration that was staged and could not be taken', async () => {
    await reloadTo(TWO);
    isReplanning = false;
    expect(flowsByClass(await sealedWindow())).toEqual({ one: LIMITS.flowsMax, two: LIMITS.flowsMax });
    isReplanning = true;
    expect(reload.status()).toMatchObject({ digest: 'one', staged: null, lastRefusal: 'no such socket' });
    await reloadTo(THREE);
    expect(flowsByClass(await sealedWindow())).toEqual({ one: LIMITS.flowsMax, three: LIMITS.flowsMax });
    expect(reload.status().digest).toBe('three');
  });
});
