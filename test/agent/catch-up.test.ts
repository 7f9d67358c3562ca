/** After an outage: the newest window first, the backlog behind it in order and at its pace, and all of it. */

import { EventEmitter, once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Lanes } from '../../src/agent/lanes.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { accept, answer, CollectorStub, type Received, type Script } from './collector-stub.ts';
import { buildPusher, to } from './push-rig.ts';
import { buildDocument, quarantined, spoolOf, temporaryFolder } from './spool-fixture.ts';

const BACKLOG = [1, 2, 3, 4, 5, 6, 7, 8];
const sequenceIn = ({ body }: Received): number => JSON.parse(gunzipSync(body).toString()).sequence;

describe('a backlog', () => {
  it('is sent no faster than the limit, with jitter around it', async () => {
    const collector = new CollectorStub([]);
    await collector.listen();
    const throws = [0, 0.25, 0.5, 0.75, 0.999, 0, 0, 0];
    const spool = await spoolOf(await temporaryFolder(), BACKLOG);
    const { pusher, waits } = buildPusher({ ...to(collector.url), spool }, { random: () => throws.shift() ?? 0 });
    pusher.start();
    expect((await collector.received(8)).map(sequenceIn)).toEqual([8, 1, 2, 3, 4, 5, 6, 7]);
    await pusher.stop();
    // The last two are no backlog any more.
    expect(waits).toEqual([100, 150, 200, 250, 300]);
  });

  it('lets a window pass that is sealed while it waits for its turn', async () => {
    const spool = await spoolOf(await temporaryFolder(), BACKLOG);
    const collector = new CollectorStub([]);
    await collector.listen();
    const wait = (_ms: number, signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('enough'))));
    const { pusher } = buildPusher({ ...to(collector.url), spool }, { wait });
    pusher.start();
    await collector.received(1);
    await spool.append(buildDocument(9));
    await collector.received(2);
    await spool.append(buildDocument(10));
    expect((await collector.received(3)).map(sequenceIn)).toEqual([8, 9, 10]);
    await pusher.stop();
    expect(spool.status().documents).toBe(7);
  });

  it('that is stuck at a document does not keep back the newest', async () => {
    const events = new EventEmitter();
    const last = once(events, 'received 2');
    let isStuck = true;
    const stuckAt1: Script = (response, received) => {
      const sequence = sequenceIn(received);
      if (sequence === 4) isStuck = false;
      (sequence === 1 && isStuck ? answer(500) : accept)(response, received);
      events.emit(`received ${sequence}`);
    };
    const collector = new CollectorStub(Array.from({ length: 10_000 }, () => stuckAt1));
    await collector.listen();
    const spool = await spoolOf(await temporaryFolder(), [1, 2, 3]);
    const { pusher } = buildPusher({ ...to(collector.url), spool });
    pusher.start();
    await collector.received(3);
    await spool.append(buildDocument(4));
    await last;
    await pusher.stop();
    const order = collector.requests.map(sequenceIn);
    expect(order.slice(0, 3)).toEqual([3, 1, 1]);
    expect(order.slice(-3)).toEqual([4, 1, 2]);
    expect(spool.status().documents).toBe(0);
  });

  it('whose newest document is refused for good goes on with the others', async () => {
    const folder = await temporaryFolder();
    const collector = new CollectorStub([answer(422, 'no')]);
    await collector.listen();
    const spool = await spoolOf(folder, BACKLOG);
    const { pusher } = buildPusher({ ...to(collector.url), spool });
    pusher.start();
    expect((await collector.received(8)).map(sequenceIn)).toEqual([8, 1, 2, 3, 4, 5, 6, 7]);
    await pusher.stop();
    expect(await quarantined(folder)).toEqual({ '0000000000000008.jws': 'HTTP 422: no\n' });
  });
});

describe('the lanes', () => {
  it('keep the order where no more wait than after one failure', () => {
    const lanes = new Lanes();
    for (let count = 1; count <= LIMITS.pushInOrderMax; count += 1) {
      expect(lanes.next({ count, oldest: 1, newest: count }, 0)).toEqual({ end: 'oldest' });
    }
  });

  it('send a window as the newest once', () => {
    const lanes = new Lanes();
    expect(lanes.next({ count: 9, oldest: 1, newest: 9 }, 0)).toEqual({ end: 'newest' });
    lanes.settled(9, 1000, 0.5);
    const before = { count: 8, oldest: 1, newest: 8 };
    expect(lanes.next(before, 1000)).toEqual({ waitMs: LIMITS.catchUpEveryMs });
    expect(lanes.next(before, 1000 + LIMITS.catchUpEveryMs)).toEqual({ end: 'oldest' });
    expect(lanes.next({ count: 9, oldest: 1, newest: 10 }, 1000)).toEqual({ end: 'newest' });
  });
});
