/** Whole summaries out of a real ring: the collector's own reader accepts every one of them. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SummaryBody } from '../../src/agent/seal.ts';
import type { SessionName } from '../../src/agent/plan-reflector.ts';
import { type Identity, Summarizer } from '../../src/agent/summarize.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_MS, NS_PER_S } from '../../src/base/units.ts';
import type { ClockState } from '../../src/linux/clock-state.ts';
import type { PathPlan, ProbePlan } from '../../src/probe/plan.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { parseSummary } from '../../src/protocol/parse-summary.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import { STAMP_SOURCE } from '../../src/ring/layout.ts';
import { octetsOf } from '../protocol/summary-fixture.ts';
import { LONG_AFTER_NS, pathPlan, RingRig, TMAX_NS, windowAt } from './ring-rig.ts';
import { peersOf } from './summary-body.ts';

const IDENTITY: Identity = {
  pop: 'hkg1',
  bootId: '6f1c8f6e-3f0a-4c44-9a37-5d3a5b8f0d11',
  configDigest: digestOf(Buffer.from('mesh.yaml')),
  software: 'popprobe/0.1.0',
  transportReason: 'configured',
};

/** Two peers with a STAMP flow and an ICMP path each: numbers 0 to 3. */
const PATHS: PathPlan[] = ['sin1', 'lax1'].flatMap((peer) => [
  pathPlan({ peer, capacity: 8192 }),
  pathPlan({ peer, className: 'echo', kind: 'icmp', dscp: 0, ssid: 0, intervalNs: 200 * NS_PER_MS, capacity: 8192 }),
]);

const CLOCK: ClockState = { synchronised: false, offsetNs: null, maxErrorNs: null, source: 'adjtimex' };

function rigOf(windowS = 10, sessions: SessionName[] = [], paths = PATHS) {
  const plan: ProbePlan = {
    session: 1,
    tmaxNs: TMAX_NS,
    tickNs: 5 * NS_PER_MS,
    schedule: 'periodic',
    windowS,
    sockets: [],
    paths,
  };
  const rig = new RingRig(paths, sessions.length, windowS);
  const summarizer = new Summarizer({
    identity: IDENTITY,
    plan,
    sessions,
    probing: rig.probing,
    reflecting: rig.reflecting,
    clockState: () => CLOCK,
  });
  const summarize = (startNs = 0): SummaryBody => summarizer.summarize(windowAt(startNs, windowS), LONG_AFTER_NS);
  return { rig, summarizer, summarize };
}

/** What the collector makes of the summary once it is sealed. Throws when it would refuse it. */
function asCollected(body: SummaryBody): Summary {
  return parseSummary(octetsOf({ ...body, peers: peersOf(body), sequence: 1, prev: null }));
}

function secondsOf(body: SummaryBody): string[] {
  return peersOf(body).map(({ peer, seconds }) => `${peer} ${seconds}`);
}

describe('a summary', () => {
  it('says who measured what, when and how', () => {
    const { rig, summarize } = rigOf();
    rig.received(0, 0, { rawNs: 8 * NS_PER_MS });
    const body = summarize();
    const { peers: _, instrument, ...rest } = body;
    const peers = peersOf(body);
    expect(rest).toEqual({
      schema: 'popprobe.summary/1',
      pop: 'hkg1',
      boot_id: IDENTITY.bootId,
      window: { start: '2023-11-14T22:13:20.000Z', start_unix_s: 1_700_000_000, length_s: 10 },
      config_digest: IDENTITY.configDigest,
      software: 'popprobe/0.1.0',
      parameters: {
        tmax_ms: 3000,
        tick_ms: 5,
        schedule: 'periodic',
        transport: { stamp: 'udp', icmp: 'icmp_raw' },
        transport_reason: 'configured',
      },
      clock: { synchronised: false, offset_ns: null, max_error_ns: null, source: 'adjtimex', steps: 0, step_max_ns: 0 },
    });
    expect(peers.map(({ peer, paths }) => [peer, paths.map((path) => path.class)])).toEqual([
      ['sin1', ['voice', 'echo']],
      ['lax1', ['voice', 'echo']],
    ]);
    expect(peers[0]?.paths[1]).toMatchObject({
      kind: 'icmp',
      family: 'ipv4',
      dscp: 0,
      size_bytes: 44,
      interval_ms: 200,
    });
    expect(instrument.ticks).toBe(0);
  });

  it('of a window in which nothing fell due is complete, and every second unknown', () => {
    const body = rigOf().summarize();
    expect(asCollected(body)).toEqual({ ...body, peers: peersOf(body), sequence: 1, prev: null });
    expect(secondsOf(body)).toEqual(['sin1 uuuuuuuuuu', 'lax1 uuuuuuuuuu']);
  });

  it('of a window in which this host refused everything blames no peer', () => {
    const { rig, summarize } = rigOf();
    for (const [path] of PATHS.entries()) {
      for (let probe = 0; probe < 100; probe += 1) rig.refused(path, probe * 100 * NS_PER_MS, 1);
    }
    const body = summarize();
    expect(asCollected(body).peers[0]?.paths[0]).toMatchObject({
      counts: { due: 100, refused: 100, lost: 0, received: 0 },
      refused_by_errno: [[1, 100]],
      rtt: null,
      histogram: null,
      ipdv: null,
      seconds_with_loss: [],
    });
    expect(secondsOf(body)).toEqual(['sin1 uuuuuuuuuu', 'lax1 uuuuuuuuuu']);
  });

  it('of the longest window is complete, with loss in every second of it', () => {
    const { rig, summarize } = rigOf(300);
    for (let probe = 0; probe < 3000; probe += 1) {
      const dueNs = probe * 100 * NS_PER_MS;
      if (probe % 10 === 0) rig.sent(0, dueNs);
      else rig.received(0, dueNs, { rawNs: (10 + (probe % 7)) * NS_PER_MS, residenceNs: 20_000 });
    }
    const [sin1] = asCollected(summarize()).peers;
    expect(sin1?.seconds).toBe('g'.repeat(300));
    expect(sin1?.paths[0]?.counts).toMatchObject({ due: 3000, received: 2700, lost: 300 });
    expect(sin1?.paths[0]?.seconds_with_loss).toHaveLength(300);
  });

  it('of a peer with all the classes that a mesh may have, refused for every reason there is, is accepted', () => {
    const classes = Array.from({ length: LIMITS.flowsMax }, (_, n) => n);
    const paths = [
      ...classes.map((n) => pathPlan({ className: `voice${n}` })),
      ...classes.slice(0, LIMITS.icmpClassesMax).map((n) => pathPlan({ className: `echo${n}`, kind: 'icmp', ssid: 0 })),
    ];
    const { rig, summarize } = rigOf(10, [], paths);
    for (const path of paths.keys()) {
      for (let errno = 0; errno < 256; errno += 1) rig.refused(path, errno * NS_PER_MS, errno);
    }
    const [sin1] = asCollected(summarize()).peers;
    expect(sin1?.classes).toHaveLength(LIMITS.flowsMax + LIMITS.icmpClassesMax);
    expect(sin1?.paths.map(({ refused_by_errno: refused }) => refused.length)).toEqual(paths.map(() => 256));
  });

  it('is accepted whatever the outcomes were', () => {
    const acts: ((rig: RingRig, path: number, dueNs: number, size: number) => unknown)[] = [
      (rig, path, dueNs, size) =>
        rig.received(path, dueNs, { rawNs: size - 50, residenceNs: size % 100, duplicates: 1 }),
      (rig, path, dueNs) => rig.sent(path, dueNs),
      (rig, path, dueNs) => rig.late(path, dueNs),
      (rig, path, dueNs) => rig.unreachable(path, dueNs),
      (rig, path, dueNs, size) => rig.refused(path, dueNs, size % 256),
      (rig, path, dueNs) => rig.missed(path, dueNs),
    ];
    const probe = fc.tuple(fc.nat(acts.length - 1), fc.nat(PATHS.length - 1), fc.nat(TMAX_NS));
    fc.assert(
      fc.property(fc.array(probe, { maxLength: 100 }), (probes) => {
        const { rig, summarize } = rigOf();
        for (const [index, [act, path, size]] of probes.entries()) acts[act]?.(rig, path, index * 90 * NS_PER_MS, size);
        const due = asCollected(summarize()).peers.flatMap(({ paths }) => paths.map(({ counts }) => counts.due));
        expect(due.reduce((sum, count) => sum + count, 0)).toBe(probes.length);
      }),
    );
  });
});

describe('the seconds of a peer', () => {
  it('are judged over all of its paths, and of no other peer', () => {
    const { rig, summarize } = rigOf();
    const reply = { rawNs: NS_PER_MS };
    // second 0: half of the probes lost; 1: more than half; 2: one path lost, the other silent; 3: the other peer only
    for (const [path, second, arrives] of [
      [0, 0, false],
      [1, 0, true],
      [0, 1, false],
      [1, 1, true],
      [1, 1, false],
      [0, 2, false],
      [2, 3, false],
      [3, 4, true],
    ] as const) {
      if (arrives) rig.received(path, second * NS_PER_S, reply);
      else rig.sent(path, second * NS_PER_S);
    }
    expect(secondsOf(summarize())).toEqual(['sin1 gbbuuuuuuu', 'lax1 uuubguuuuu']);
    expect(secondsOf(summarize(10 * NS_PER_S))).toEqual(['sin1 uuuuuuuuuu', 'lax1 uuuuuuuuuu']);
  });
});

describe('what was reflected of a peer', () => {
  const names = [
    { peer: 'lax1', className: 'voice', family: 'ipv4', flow: 0 },
    { peer: 'sin1', className: 'voice', family: 'ipv4', flow: 0 },
    { peer: 'sin1', className: 'voice6', family: 'ipv6', flow: 1 },
  ] as const;

  it('stands beside its paths, by session and for this window only', () => {
    const { rig, summarize } = rigOf(10, [...names]);
    const { tally } = rig.reflecting;
    const startS = windowAt(0).startUnixS;
    for (const session of [0, 1, 1]) tally.countReplied(tally.countReceived(session, startS + 9));
    tally.countReceived(1, startS + 10);
    tally.countReceived(2, startS);
    const summary = asCollected(summarize());
    expect(summary.peers.map(({ peer, reflected }) => [peer, reflected])).toEqual([
      [
        'sin1',
        [
          { class: 'voice', family: 'ipv4', flow: 0, received: 2, replied: 2 },
          { class: 'voice6', family: 'ipv6', flow: 1, received: 1, replied: 0 },
        ],
      ],
      ['lax1', [{ class: 'voice', family: 'ipv4', flow: 0, received: 1, replied: 1 }]],
    ]);
    const next = asCollected(summarize(10 * NS_PER_S));
    expect(next.peers[0]?.reflected[0]).toMatchObject({ received: 1, replied: 0 });
  });

  it('is one session while its port changes, and the reflector answers the old one and the new one', () => {
    const { rig, summarize } = rigOf(10, [...names, names[1]]);
    const { tally } = rig.reflecting;
    const startS = windowAt(0).startUnixS;
    for (const session of [1, 3, 3]) tally.countReplied(tally.countReceived(session, startS));
    tally.countReceived(3, startS);
    const [sin1] = asCollected(summarize()).peers;
    expect(sin1?.reflected[0]).toEqual({ class: 'voice', family: 'ipv4', flow: 0, received: 4, replied: 3 });
    expect(sin1?.reflected).toHaveLength(2);
  });

  it('is left out when it was overwritten, and counted when it came after the window was read', () => {
    const { rig, summarize } = rigOf(10, [...names]);
    const { tally } = rig.reflecting;
    const startS = windowAt(0).startUnixS;
    tally.countReceived(1, startS);
    tally.countReceived(1, startS + 40);
    const [sin1] = asCollected(summarize()).peers;
    expect(sin1?.reflected.map(({ class: name }) => name)).toEqual(['voice6']);
    rig.reflecting.counters.add('window_closed', 3);
    expect(tally.countReceived(2, startS)).toBe(-1);
    expect(summarize(10 * NS_PER_S).instrument.reflected_too_late).toBe(3);
  });
});

describe('the figures of one path', () => {
  it('are not touched by reading the next', () => {
    const { rig, summarize } = rigOf();
    for (const [path, rtts] of [[9, 1, 5], [2], [7, 7], []].entries()) {
      for (const [index, ms] of rtts.entries()) rig.received(path, index, { rawNs: ms * NS_PER_MS });
    }
    const paths = peersOf(summarize()).flatMap((peer) => peer.paths);
    expect(paths.map(({ rtt }) => rtt && [rtt.n, rtt.min_ns, rtt.max_ns])).toEqual([
      [3, NS_PER_MS, 9 * NS_PER_MS],
      [1, 2 * NS_PER_MS, 2 * NS_PER_MS],
      [2, 7 * NS_PER_MS, 7 * NS_PER_MS],
      null,
    ]);
    expect(paths.map(({ ipdv }) => ipdv?.n ?? 0)).toEqual([2, 0, 1, 0]);
  });
});

describe('missing TX stamps', () => {
  it('are added up over all paths', () => {
    const { rig, summarize } = rigOf();
    for (const path of [0, 1, 3, 3]) rig.received(path, 0, { rawNs: NS_PER_MS, txSource: STAMP_SOURCE.user });
    rig.received(2, 0, { rawNs: NS_PER_MS });
    expect(summarize().instrument.tx_stamps_missing).toBe(4);
  });
});

describe('a window', () => {
  it('is settled only when every path is', () => {
    const { rig, summarizer } = rigOf();
    const window = windowAt(0);
    rig.opened(window.endNs);
    rig.reflecting.tally.advanceHorizon(window.startUnixS + window.lengthS);
    for (const [path] of PATHS.entries()) rig.received(path, window.endNs - 1, { rawNs: 1 });
    expect(summarizer.isSettled(window, window.endNs)).toBe(true);
    rig.reflecting.tally.advanceHorizon(window.startUnixS + window.lengthS - 1);
    expect(summarizer.isSettled(window, window.endNs), 'requests may wait to be counted').toBe(false);
    rig.reflecting.tally.advanceHorizon(window.startUnixS + window.lengthS);
    rig.sent(3, window.endNs - 1);
    expect(summarizer.isSettled(window, window.endNs)).toBe(false);
  });
});
