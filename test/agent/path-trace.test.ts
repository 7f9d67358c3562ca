/** How a trace walks: hop by hop, to the destination or until nothing new can come; over a scripted network. */

import { describe, expect, it } from 'vitest';
import { type HopProber, type TraceTarget, tracePath } from '../../src/agent/path-trace.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_MS } from '../../src/base/units.ts';
import type { TraceAnswer } from '../../src/protocol/record.ts';
import { traceSchema } from '../../src/protocol/trace-schema.ts';
import { FakeClock } from '../probe/fake-clock.ts';

const TARGET: TraceTarget = { peer: 'sin1', family: 'ipv4', address: '198.18.9.9', reason: 'pair_bad' };
const SILENCE: TraceAnswer = { address: null, rtt_us: null, icmp_type: null, icmp_code: null };

function answer(address: string, icmp_type: number, icmp_code = 0): TraceAnswer {
  return { address, rtt_us: 100, icmp_type, icmp_code };
}

const ROUTER = answer('198.18.1.1', 11);
const DESTINATION = answer(TARGET.address, 0);
const NO_ROUTE = answer('198.18.2.1', 3, 0);

type Reply = (ttl: number, probe: number) => TraceAnswer | Promise<TraceAnswer>;

/** Runs a trace over a network that answers like this. */
async function trace(reply: Reply, target = TARGET, signal = new AbortController().signal) {
  const clock = new FakeClock();
  const probes: number[] = [];
  let closed = 0;
  const prober: HopProber = {
    async probe(ttl) {
      probes.push(ttl);
      clock.advance(NS_PER_MS);
      return reply(ttl, probes.filter((earlier) => earlier === ttl).length - 1);
    },
    close: () => (closed += 1),
  };
  const result = await tracePath(target, { clock, open: async () => prober }, signal);
  expect(traceSchema.parse(result)).toEqual(result);
  expect(closed).toBeGreaterThan(0);
  return { ...result, probes };
}

describe('a trace', () => {
  it('ends at the destination, with three probes a hop and every answer kept', async () => {
    const second = answer('198.18.1.2', 11);
    const result = await trace(
      (ttl, probe) => [ROUTER, probe === 1 ? second : ROUTER, DESTINATION][ttl - 1] ?? SILENCE,
    );
    expect(result).toMatchObject({ ...TARGET, outcome: 'reached', failure: null });
    expect(result.probes).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
    expect(result.hops).toEqual([
      { ttl: 1, answers: [ROUTER, ROUTER, ROUTER] },
      { ttl: 2, answers: [ROUTER, second, ROUTER] },
      { ttl: 3, answers: [DESTINATION, DESTINATION, DESTINATION] },
    ]);
    expect([result.started_at, result.duration_us]).toEqual(['2023-11-14T22:13:20.000Z', 9000]);
  });

  it('is at the destination when one probe of three is', async () => {
    const result = await trace((ttl, probe) => (ttl === 2 && probe === 2 ? DESTINATION : SILENCE));
    expect([result.outcome, result.hops.length]).toEqual(['reached', 2]);
  });

  it('passes hops that are silent, and gives up after five of them in a row', async () => {
    const result = await trace((ttl) => (ttl === 1 || ttl === 6 ? ROUTER : SILENCE));
    expect(result).toMatchObject({ outcome: 'incomplete', failure: null });
    expect(result.hops).toHaveLength(6 + LIMITS.traceSilentHopsMax);
  });

  it('ends where a router says that there is no way', async () => {
    const result = await trace((ttl) => (ttl === 1 ? ROUTER : NO_ROUTE));
    expect([result.outcome, result.hops.length]).toEqual(['incomplete', 2]);
  });

  it('goes on when only one of several ways ends there', async () => {
    const result = await trace((ttl, probe) => {
      if (ttl === 3) return DESTINATION;
      return probe === 0 ? NO_ROUTE : ROUTER;
    });
    expect([result.outcome, result.hops.length]).toEqual(['reached', 3]);
  });

  it('ends after 30 hops of a loop', async () => {
    const result = await trace(() => ROUTER);
    expect([result.outcome, result.hops.length]).toEqual(['incomplete', 30]);
  });

  it('over IPv6 knows the types of ICMPv6: 3 is a router on the way, 129 the destination', async () => {
    const target = { ...TARGET, family: 'ipv6', address: '2001:db8::9' } as const;
    const result = await trace((ttl) => (ttl < 3 ? answer('2001:db8::1', 3) : answer('2001:db8::9', 129)), target);
    expect([result.outcome, result.hops.length]).toEqual(['reached', 3]);
  });
});

describe('a trace that this host cannot run', () => {
  it('because it may not have a socket says so', async () => {
    const open = () => Promise.reject(new Error('Operation not permitted'));
    const result = await tracePath(TARGET, { clock: new FakeClock(), open }, new AbortController().signal);
    expect(traceSchema.parse(result)).toEqual(result);
    expect(result).toMatchObject({
      outcome: 'failed',
      failure: 'this host opens no raw ICMP socket: Operation not permitted; the agent needs CAP_NET_RAW',
      hops: [],
    });
  });

  it('because a file of the installation is missing does not blame a permission', async () => {
    const open = () => Promise.reject(new Error('Cannot find module raw.node'));
    const result = await tracePath(TARGET, { clock: new FakeClock(), open }, new AbortController().signal);
    expect(result.failure).toBe('this host opens no raw ICMP socket: Cannot find module raw.node');
  });

  it('because it does not send says so, and keeps what was found', async () => {
    const result = await trace((ttl) => (ttl === 1 ? ROUTER : Promise.reject(new Error('Network is unreachable'))));
    expect(result).toMatchObject({
      outcome: 'failed',
      failure: 'this host did not send: Network is unreachable',
      hops: [{ ttl: 1 }],
    });
  });

  it('because it is stopped ends at once, with the reason', async () => {
    const stopping = new AbortController();
    const result = await trace(
      (ttl) => {
        if (ttl === 1) return ROUTER;
        stopping.abort(new Error('the agent was stopped'));
        return Promise.reject(new Error('Socket closed'));
      },
      TARGET,
      stopping.signal,
    );
    expect(result).toMatchObject({ outcome: 'failed', failure: 'the agent was stopped', hops: [{ ttl: 1 }] });
  });

  it('says it in no more words than evidence takes', async () => {
    const result = await trace(() => Promise.reject(new Error('x'.repeat(1000))));
    expect(result.failure).toHaveLength(LIMITS.traceFailureCharactersMax);
  });
});
