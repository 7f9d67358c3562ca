/** Kernel stamps are all there at 20,000 probes a second; one that is missing costs accuracy, says so, and is no loss. */

import { afterEach, describe, expect, it } from 'vitest';
import { type Reflecting, startReflecting } from '../../src/probe/probing.ts';
import type { Transport, TransportEvents } from '../../src/probe/transport.ts';
import { rootMissing } from '../linux/privileges.ts';
import { LocalEngine, type LocalParts } from './local-engine.ts';
import { type PeerPlan, probePlan, reflectorPlan } from './plans.ts';
import type { Verdict } from './verdict.ts';

const LOCAL = '127.0.43.1';
const PEER = '127.0.43.2';
const SECOND_NS = 1e9;

describe.skipIf(rootMissing())(`stamps (${rootMissing() ?? 'as root'})`, () => {
  let reflecting: Reflecting;
  let engine: LocalEngine;

  afterEach(async () => {
    engine.close();
    await reflecting.stop();
  });

  async function run(paths: number, intervalMs: number, probes: number, parts: LocalParts): Promise<Verdict> {
    const kinds = ['stamp', 'icmp'] as const;
    const peers = kinds.flatMap((kind) =>
      Array.from({ length: paths }, (): PeerPlan => ({ name: kind, address: PEER, kind })),
    );
    const plan = probePlan({ locals: [LOCAL], peers, intervalMs, rememberS: 8 });
    reflecting = await startReflecting(reflectorPlan(plan, [PEER]), (error) => {
      throw error;
    });
    engine = new LocalEngine(plan, parts);
    await engine.tickUntil(() => engine.due() >= probes);
    const verdict = await engine.settle();
    const all = verdict.all();
    expect(all).toMatchObject({ lost: 0, refused: 0, received: all.due - all.missed - all.void });
    for (const kind of kinds) {
      const samples = verdict.samples(kind);
      expect(samples.length).toBeGreaterThan(probes / 8);
      expect(samples.filter(({ netNs }) => !(netNs > 0 && netNs < SECOND_NS))).toEqual([]);
    }
    return verdict;
  }

  it('of every send, at 20,000 a second', async () => {
    const verdict = await run(10, 1, 40_000, {});
    const { provenance, received } = verdict.all();
    expect(provenance).toMatchObject({ tx_kernel: received, tx_user: 0 });
  });

  it('of sending, missing altogether', async () => {
    const verdict = await run(2, 5, 1000, { socket: { txStamps: false } });
    const { provenance, received } = verdict.all();
    expect(provenance).toMatchObject({ tx_kernel: 0, tx_user: received });
  });

  it('of sending, missing here and there because the error queue has no room for them', async () => {
    // Batches of 10 or 20: the queue of TX stamps shares this buffer, and the kernel drops what does not fit without a word.
    // It drops replies too, and counts them: their probes are void.
    const verdict = await run(20, 10, 2000, { socket: { receiveBufferBytes: 2500 } });
    const { provenance, received } = verdict.all();
    expect(provenance['tx_user']).toBeGreaterThan(20);
    expect(provenance['tx_kernel']).toBeGreaterThan(20);
    expect((provenance['tx_user'] ?? 0) + (provenance['tx_kernel'] ?? 0)).toBe(received);
  });

  it('of receiving, missing for the first replies', async () => {
    const unstamped = 100;
    let left = unstamped;
    const verdict = await run(2, 5, 1000, {
      between: (kernel) => unstamping(kernel, () => left > 0 && left-- > 0),
    });
    const { provenance, received } = verdict.all();
    // The kernel itself may leave out some more: it switches its stamping on from a work queue.
    expect(provenance['rx_user']).toBeGreaterThanOrEqual(unstamped);
    expect((provenance['rx_user'] ?? 0) + (provenance['rx_kernel'] ?? 0)).toBe(received);
    expect(provenance['rx_kernel']).toBeGreaterThan(received / 2);
  });
});

/** A transport whose kernel has no RX stamp for the datagrams that `isMissing` says so of. */
function unstamping(kernel: Transport, isMissing: () => boolean): Transport {
  return {
    name: kernel.name,
    outgoing: kernel.outgoing,
    readDrops: () => kernel.readDrops(),
    prepare: (...args) => kernel.prepare(...args),
    send: (...args) => kernel.send(...args),
    receive(events: TransportEvents) {
      kernel.receive({
        onRead: () => events.onRead(),
        onSent: (cookie) => events.onSent(cookie),
        onRefused: (cookie, errno) => events.onRefused(cookie, errno),
        onTxStamp: (cookie, seconds, nanoseconds) => events.onTxStamp(cookie, seconds, nanoseconds),
        onIcmpError: (datagram, error) => events.onIcmpError(datagram, error),
        onDatagram(datagram) {
          if (isMissing()) Object.assign(datagram, { stamped: false, seconds: 0, nanoseconds: 0 });
          events.onDatagram(datagram);
        },
      });
    },
    close: () => kernel.close(),
  };
}
