/** A process that stands still, at either end, is neither loss nor delay: what it did not send is missed, no more. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ProbePlan } from '../../src/probe/plan.ts';
import { Namespaces, namespacesMissing } from './namespaces.ts';
import { nowNs } from './now.ts';
import { type PeerPlan, probePlan, reflectorPlan } from './plans.ts';
import { Prober, Reflector } from './product.ts';

const NS_PER_MS = 1e6;
const LOCAL = '198.18.0.1';
const FAR = '198.18.0.2';
const INTERVAL_MS = 10;
const TICK_MS = 5;
const WARM = 100;
const TMAX_MS = 1000;

const PEERS: PeerPlan[] = [
  { name: 'stamp', address: FAR },
  { name: 'stamp', address: FAR },
  { name: 'icmp', address: FAR, kind: 'icmp' },
];

const missing = namespacesMissing();

describe.skipIf(missing)(`stalls (${missing ?? 'as root'})`, () => {
  let namespaces: Namespaces;
  let reflector: Reflector;
  let prober: Prober;

  beforeAll(() => {
    namespaces = new Namespaces('stalls', ['near', 'far']);
    namespaces.join('near', 'far', [`${LOCAL}/24`], [`${FAR}/24`]);
  });
  afterAll(() => namespaces.close());
  afterEach(() => Promise.all([reflector.kill(), prober.kill()]));

  async function start(peers: readonly PeerPlan[], tmaxMs: number, sizeBytes = 64): Promise<ProbePlan> {
    const plan = probePlan({
      locals: [LOCAL],
      peers: peers.map((peer) => ({ ...peer, sizeBytes })),
      intervalMs: INTERVAL_MS,
      tmaxMs,
      tickMs: TICK_MS,
      rememberS: 60,
    });
    reflector = await Reflector.start(namespaces, 'far', reflectorPlan(plan, [FAR]));
    prober = await Prober.start(namespaces, 'near', plan);
    await prober.until((verdict) => verdict.all().received >= WARM);
    return plan;
  }

  it.each([1200, 20_000])('the agent stops for %i ms', async (stopMs) => {
    await start(PEERS, TMAX_MS);
    // Replies that come while the agent stands still: the reflector holds them back until it does.
    await reflector.freeze();
    const heldSinceNs = nowNs();
    await prober.until((verdict) => verdict.samples('icmp').some(({ dueNs }) => dueNs > heldSinceNs + 50 * NS_PER_MS));
    await prober.freeze();
    const stoppedNs = nowNs();
    reflector.thaw();
    await sleep(stopMs);
    const goesOnNs = nowNs();
    prober.thaw();
    const verdict = await prober.until(({ isFinal }) => isFinal, goesOnNs + 200 * NS_PER_MS);

    const { due, received, missed, ...others } = verdict.all();
    expect(others).toMatchObject({ lost: 0, refused: 0, void: 0, duplicate: 0, reordered: 0 });
    expect(received).toBe(due - missed);
    for (const path of PEERS.keys()) {
      // Later ones are in time for the first tick.
      const states = verdict.statesBetween(path, stoppedNs, goesOnNs - (TICK_MS + INTERVAL_MS / 2) * NS_PER_MS);
      expect(Object.keys(states)).toEqual(['missed']);
      expect(states['missed']).toBeGreaterThan(stopMs / INTERVAL_MS - 6);
      // No burst afterwards: what was sent since is one an interval.
      const since = verdict.statesBetween(path, goesOnNs, verdict.untilNs);
      expect((since['received'] ?? 0) + (since['missed'] ?? 0)).toBeLessThan(200 / INTERVAL_MS + 3);
    }
    const held = verdict.samples('stamp').filter(({ dueNs }) => dueNs >= heldSinceNs && dueNs < stoppedNs);
    expect(held.length).toBeGreaterThan(4);
    expect(Math.max(...held.map(({ residenceNs }) => residenceNs))).toBeGreaterThan(40 * NS_PER_MS);
    for (const peer of ['stamp', 'icmp']) {
      const netNs = verdict.samples(peer).map((sample) => sample.netNs);
      expect(netNs).toHaveLength(verdict.of(peer).received);
      expect(Math.min(...netNs)).toBeGreaterThan(0);
      // Far below what any part of the stop would have made of it.
      expect(Math.max(...netNs)).toBeLessThan((TMAX_MS * NS_PER_MS) / 2);
      expect(median(netNs)).toBeLessThan(10 * NS_PER_MS);
    }
  });

  it('the reflector stops for a second', async () => {
    await start(PEERS, 3000);
    await reflector.freeze();
    const stoppedNs = nowNs();
    await sleep(1000);
    const goesOnNs = nowNs();
    reflector.thaw();
    const verdict = await prober.until(({ isFinal }) => isFinal, goesOnNs + 200 * NS_PER_MS);

    expect(verdict.all()).toMatchObject({ lost: 0, refused: 0, void: 0 });
    const samples = verdict.samples('stamp');
    expect(samples).toHaveLength(verdict.of('stamp').received);
    const held = samples.filter(({ dueNs }) => dueNs >= stoppedNs && dueNs < goesOnNs - 600 * NS_PER_MS);
    expect(held.length).toBeGreaterThan(20);
    for (const { residenceNs } of held) expect(residenceNs).toBeGreaterThan(500 * NS_PER_MS);
    expect(Math.max(...held.map(({ residenceNs }) => residenceNs))).toBeGreaterThan(900 * NS_PER_MS);
    const before = samples.filter(({ dueNs }) => dueNs < stoppedNs - 10 * NS_PER_MS);
    expect(before.length).toBeGreaterThan(20);
    for (const some of [held, before]) {
      const netNs = some.map((sample) => sample.netNs);
      expect(Math.min(...netNs)).toBeGreaterThan(0);
      expect(median(netNs)).toBeLessThan(10 * NS_PER_MS);
    }
  });

  /** Sends datagrams that nobody asked for from one end to a port at the other. */
  function flood(from: 'near' | 'far', port: number, bytes: number, count: number): void {
    const to = from === 'near' ? FAR : LOCAL;
    const program = `
      import { createSocket } from 'node:dgram';
      const socket = createSocket('udp4');
      let left = ${count};
      const more = () => (left-- > 0 ? socket.send(Buffer.alloc(${bytes}), ${port}, '${to}', more) : socket.close());
      more();`;
    namespaces.run(from, [process.execPath, '--input-type=module', '-e', program]);
  }

  /** Datagrams that the kernel has dropped at a port for want of room; the last column of the table. */
  function droppedAt(end: 'near' | 'far', port: number): number {
    const local = `:${port.toString(16).toUpperCase()} `;
    const row = namespaces
      .run(end, ['cat', '/proc/net/udp'])
      .split('\n')
      .find((line) => line.includes(local));
    return Number(row?.trim().split(/\s+/).at(-1));
  }

  it('the agent stops while its receive buffer overflows: what was out is void, and nothing is lost', async () => {
    const plan = await start(PEERS.slice(0, 2), 3000);
    await reflector.freeze();
    const heldSinceNs = nowNs();
    // What has no outcome yet counts as void.
    await prober.until((verdict) => verdict.all().void > 20);
    await prober.freeze();
    const stoppedNs = nowNs();
    // Large datagrams until the kernel drops some, then small ones for what is left: few replies find a place.
    const port = plan.sockets[0]?.port ?? 0;
    while (droppedAt('near', port) === 0) flood('far', port, 1400, 4000);
    flood('far', port, 16, 2000);
    reflector.thaw();
    const reflectedBefore = (await reflector.counters()).reflected;
    // Every probe that was out has been answered, to a socket that is full.
    for (let reflected = -1, last = reflectedBefore; reflected !== last; ) {
      reflected = last;
      await sleep(50);
      last = (await reflector.counters()).reflected;
    }
    prober.thaw();
    const goesOnNs = nowNs();
    const verdict = await prober.until(({ isFinal }) => isFinal, goesOnNs + 500 * NS_PER_MS);

    expect(verdict.counters.socket_drops).toBeGreaterThan(0);
    expect(verdict.all()).toMatchObject({ lost: 0, refused: 0 });
    expect(verdict.all().void).toBeGreaterThan(0);
    for (const path of [0, 1]) {
      const out = verdict.statesBetween(path, heldSinceNs, stoppedNs);
      expect((out['sent'] ?? 0) + (out['received'] ?? 0)).toBeGreaterThan(4);
    }
    // It hears again: of what fell due later everything is received.
    const later = verdict.samples('stamp').filter(({ dueNs }) => dueNs > goesOnNs + 100 * NS_PER_MS);
    expect(later.length).toBeGreaterThan(10);
  });

  it('the reflector stops while its receive buffer overflows: it says how many requests its own host has lost', async () => {
    const plan = await start(PEERS.slice(0, 2), TMAX_MS);
    await prober.kill();
    await reflector.freeze();
    const port = plan.paths[0]?.port ?? 0;
    while (droppedAt('far', port) === 0) flood('near', port, 1400, 4000);
    const dropped = droppedAt('far', port);
    reflector.thaw();
    await expect.poll(async () => (await reflector.counters()).drop_socket_full).toBe(dropped);
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
