/** The agent's traces: one at a time, seldom to the same peer, a person's question first, and none lost. */

import { beforeEach, describe, expect, it } from 'vitest';
import type { TraceTarget } from '../../src/agent/path-trace.ts';
import { Traces } from '../../src/agent/traces.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_S } from '../../src/base/units.ts';
import type { PathTrace } from '../../src/protocol/record.ts';
import { FakeClock } from '../probe/fake-clock.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildTrace } from '../protocol/summary-fixture.ts';
import { type LogLine, recordingLog } from './spool-fixture.ts';

const INTERVAL_NS = LIMITS.traceIntervalS * NS_PER_S;

/** Traces that run until the test lets them end. */
class Runs {
  readonly started: TraceTarget[] = [];
  readonly #ends: ((trace: PathTrace) => void)[] = [];
  signal: AbortSignal | null = null;

  readonly run = (target: TraceTarget, signal: AbortSignal): Promise<PathTrace> => {
    this.started.push(target);
    this.signal = signal;
    return new Promise((resolve) => this.#ends.push(resolve));
  };

  /** The running trace ends; the next one has begun when this resolves. */
  async end(overrides: Partial<PathTrace> = {}): Promise<void> {
    const target = this.started[this.started.length - this.#ends.length];
    this.#ends.shift()?.(buildTrace({ ...target, ...overrides }));
    await new Promise(setImmediate);
  }

  peers(): string[] {
    return this.started.map(({ peer }) => peer);
  }
}

let clock: FakeClock;
let runs: Runs;
let traces: Traces;
let lines: LogLine[];
/** The traces that have ended, in order. */
let ended: PathTrace[];

beforeEach(() => {
  clock = new FakeClock();
  runs = new Runs();
  const recording = recordingLog();
  ({ lines } = recording);
  const names = ['sin1', 'lax1', 'fra1', ...Array.from({ length: 100 }, (_, index) => `pop${index}`)];
  const peers = names.map((name, index) => ({ name, ipv4: `198.18.0.${index}`, ipv6: null }));
  const dual = { name: 'dual', ipv4: '198.18.1.1', ipv6: '2001:db8::1' };
  const six = { name: 'six', ipv4: null, ipv6: '2001:db8::6' };
  ended = [];
  traces = new Traces({
    peers: [...peers, dual, six],
    clock,
    run: runs.run,
    onEnded: (trace) => ended.push(trace),
    log: recording.log,
  });
});

describe('a pair that turns bad', () => {
  it('is traced at its address, and the trace is told when it has ended', async () => {
    traces.pairBad('sin1', 'ipv4');
    expect(runs.started).toEqual([{ peer: 'sin1', family: 'ipv4', address: '198.18.0.0', reason: 'pair_bad' }]);
    expect(traces.status()).toMatchObject({ running: 'sin1', waiting: 0 });
    expect(ended).toEqual([]);
    await runs.end();
    expect(ended).toMatchObject([{ peer: 'sin1', reason: 'pair_bad' }]);
    expect(traces.status()).toEqual({ running: null, waiting: 0, ended: 1, refused: 0 });
  });

  it('waits while another trace runs, and is traced no more when it gets good before its turn', async () => {
    for (const peer of ['sin1', 'lax1', 'fra1']) traces.pairBad(peer, 'ipv4');
    expect(runs.peers()).toEqual(['sin1']);
    traces.pairGood('lax1');
    traces.pairGood('sin1');
    await runs.end();
    expect(runs.peers()).toEqual(['sin1', 'fra1']);
  });

  it('again within 5 minutes is refused and counted; after that it is traced again', async () => {
    traces.pairBad('sin1', 'ipv4');
    await runs.end();
    clock.advance(INTERVAL_NS - 1);
    expect((await refusalOf(() => traces.pairBad('sin1', 'ipv4'))).code).toBe('trace_too_soon');
    expect(traces.status().refused).toBe(1);
    clock.advance(1);
    traces.pairBad('sin1', 'ipv4');
    expect(runs.peers()).toEqual(['sin1', 'sin1']);
  });

  it('and was withdrawn may be traced when it turns bad the next time', async () => {
    traces.pairBad('sin1', 'ipv4');
    traces.pairBad('lax1', 'ipv4');
    traces.pairGood('lax1');
    traces.pairBad('lax1', 'ipv4');
    await runs.end();
    expect(runs.peers()).toEqual(['sin1', 'lax1']);
  });

  it('over IPv6 is traced over that', () => {
    traces.pairBad('dual', 'ipv6');
    expect(runs.started).toMatchObject([{ family: 'ipv6', address: '2001:db8::1' }]);
  });
});

describe('a question', () => {
  it('is answered with the trace, which is told as any other', async () => {
    const answer = traces.request('dual', 'ipv6');
    await runs.end();
    expect(await answer).toMatchObject({ peer: 'dual', family: 'ipv6', address: '2001:db8::1', reason: 'requested' });
    expect(ended).toEqual([await answer]);
  });

  it('that names no IP version is about the one that the peer has, IPv4 first', async () => {
    const answers = [traces.request('dual', null), traces.request('six', null)];
    await runs.end();
    await runs.end();
    expect(await Promise.all(answers)).toMatchObject([{ family: 'ipv4' }, { family: 'ipv6', address: '2001:db8::6' }]);
  });

  it('goes ahead of what waits', async () => {
    for (const peer of ['sin1', 'lax1']) traces.pairBad(peer, 'ipv4');
    const answers = [traces.request('fra1', null), traces.request('dual', null)];
    for (let count = 0; count < 4; count += 1) await runs.end();
    expect(runs.peers()).toEqual(['sin1', 'fra1', 'dual', 'lax1']);
    expect((await Promise.all(answers)).map(({ peer }) => peer)).toEqual(['fra1', 'dual']);
  });

  it('about a peer whose trace waits or runs is answered by that one', async () => {
    traces.pairBad('sin1', 'ipv4');
    traces.pairBad('lax1', 'ipv4');
    traces.pairBad('fra1', 'ipv4');
    const answers = [traces.request('sin1', null), traces.request('fra1', 'ipv4'), traces.request('fra1', null)];
    for (let count = 0; count < 3; count += 1) await runs.end();
    expect(runs.peers()).toEqual(['sin1', 'fra1', 'lax1']);
    expect((await Promise.all(answers)).map(({ reason }) => reason)).toEqual(['pair_bad', 'pair_bad', 'pair_bad']);
  });

  it('within 5 minutes of the last trace is refused, and told from when on it is not', async () => {
    traces.pairBad('sin1', 'ipv4');
    await runs.end();
    clock.advance(42.5 * NS_PER_S);
    const refusal = await refusalOf(() => traces.request('sin1', null));
    expect(refusal.code).toBe('trace_too_soon');
    expect(refusal.message).toBe(
      'expected no trace to sin1 in the last 300 s; found one that began 42 s ago; ask again in 258 s, from ' +
        '2023-11-14T22:18:20.000Z on; the last one is in a signed record',
    );
    expect(traces.status().refused).toBe(1);
  });

  it('over the other family counts as one to the same peer, waiting or ended', async () => {
    traces.pairBad('sin1', 'ipv4');
    traces.pairBad('dual', 'ipv4');
    expect((await refusalOf(() => traces.request('dual', 'ipv6'))).code).toBe('trace_too_soon');
    await runs.end();
    await runs.end();
    expect((await refusalOf(() => traces.request('dual', 'ipv6'))).code).toBe('trace_too_soon');
    expect(runs.peers()).toEqual(['sin1', 'dual']);
  });

  it.each([
    ['sin', null, /did you mean "sin1"\?/],
    ['hkg1', null, /"popprobe status" lists the peers/],
    ['sin1', 'ipv6', /an ipv6 address of sin1 in the mesh; found none/],
  ] as const)('about %s over %s is refused with what to do', async (peer, family, message) => {
    const refusal = await refusalOf(() => traces.request(peer, family));
    expect(refusal.code).toBe('not_found');
    expect(refusal.message).toMatch(message);
    expect(runs.started).toEqual([]);
  });
});

describe('ended traces', () => {
  it('that failed are said once, not for every peer', async () => {
    const failed: Partial<PathTrace> = { outcome: 'failed', failure: 'no socket', hops: [] };
    for (const peer of ['sin1', 'lax1', 'fra1']) {
      traces.pairBad(peer, 'ipv4');
      await runs.end(failed);
    }
    expect(lines.filter(({ level }) => level === 40)).toMatchObject([{ peer: 'sin1', failure: 'no socket' }]);
    expect(ended).toMatchObject([failed, failed, failed]);
  });
});

describe('the end', () => {
  it('cuts off the trace that runs, which is told, and begins no other', async () => {
    traces.pairBad('sin1', 'ipv4');
    traces.pairBad('lax1', 'ipv4');
    const stopped = traces.stop();
    expect(runs.signal?.aborted).toBe(true);
    await runs.end({ outcome: 'failed', failure: 'the agent was stopped', hops: [] });
    await stopped;
    expect(runs.peers()).toEqual(['sin1']);
    expect(ended).toMatchObject([{ peer: 'sin1', failure: 'the agent was stopped' }]);
  });
});
