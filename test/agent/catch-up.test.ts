/** After an outage: the newest window first, the backlog beside it as fast as the collector likes, and all of it. */

import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { BACKLOG_PRIORITY } from '../../src/protocol/priority.ts';
import { accept, answer, CollectorStub, freePort, type Received, type Script } from './collector-stub.ts';
import { buildPusher, to } from './push-rig.ts';
import { buildDocument, quarantined, recordingLog, spoolOf, temporaryFolder } from './spool-fixture.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const BACKLOG = upTo(8);
const sequenceIn = ({ body }: Received): number => JSON.parse(gunzipSync(body).toString()).sequence;
const isOfBacklog = ({ headers }: Received): boolean => headers['priority'] === BACKLOG_PRIORITY;

/** A collector that does the same with every request. */
async function always(script: Script): Promise<CollectorStub> {
  const collector = new CollectorStub(Array.from({ length: 10_000 }, () => script));
  await collector.listen();
  return collector;
}

/** Accepts everything, each a moment later, and notes how many documents were under way when each came. */
class Unhurried {
  readonly underWay: number[] = [];
  #now = 0;
  readonly script: Script = (response, received) => {
    this.#now += 1;
    this.underWay.push(this.#now);
    setTimeout(() => {
      this.#now -= 1;
      accept(response, received);
    }, 5);
  };
}

describe('a backlog', () => {
  it('begins with one document beside the newest, after a moment of its own, and widens as answers come', async () => {
    const unhurried = new Unhurried();
    const collector = await always(unhurried.script);
    const spool = await spoolOf(await temporaryFolder(), upTo(200));
    const { pusher, waits } = buildPusher({ ...to(collector.url), spool }, { random: () => 0.25 });
    pusher.start();
    await collector.received(200);
    await pusher.stop();
    expect(spool.status().documents).toBe(0);
    expect(collector.requests.map(sequenceIn).toSorted((a, b) => a - b)).toEqual(upTo(200));
    expect(unhurried.underWay.slice(0, 2).every((count) => count <= 2)).toBe(true);
    expect(Math.max(...unhurried.underWay)).toBeGreaterThan(4);
    expect(Math.max(...unhurried.underWay)).toBeLessThanOrEqual(1 + LIMITS.pushBacklogWidthMax);
    expect(collector.connections).toBeLessThanOrEqual(1 + LIMITS.pushBacklogWidthMax);
    expect(waits).toEqual([LIMITS.catchUpStartMsMax / 4]);
  });

  it('says that it may wait, and what is sealed now does not', async () => {
    const collector = await always(accept);
    const spool = await spoolOf(await temporaryFolder(), BACKLOG);
    const { pusher } = buildPusher({ ...to(collector.url), spool });
    pusher.start();
    await collector.received(8);
    await pusher.stop();
    const hurried = collector.requests.filter((received) => !isOfBacklog(received)).map(sequenceIn);
    // The last two are no backlog any more.
    expect(hurried.filter((sequence) => sequence < 6)).toEqual([]);
    expect(hurried).toContain(8);
  });

  it('does not hold up what is sealed meanwhile, window or event: each goes at once and in order', async () => {
    const held: [ServerResponse, Received][] = [];
    const collector = await always((response, received) => {
      if (isOfBacklog(received)) held.push([response, received]);
      else accept(response, received);
    });
    const spool = await spoolOf(await temporaryFolder(), BACKLOG);
    const { pusher } = buildPusher({ ...to(collector.url), spool });
    pusher.start();
    await collector.received(2);
    for (const sequence of [9, 10, 11, 12]) await spool.append(buildDocument(sequence));
    await collector.received(6);
    const hurried = collector.requests.filter((received) => !isOfBacklog(received)).map(sequenceIn);
    expect(hurried).toEqual([8, 9, 10, 11, 12]);
    expect(held.map(([, received]) => sequenceIn(received))).toEqual([1]);
    const stopped = pusher.stop();
    for (const [response, received] of held) accept(response, received);
    await stopped;
    expect(spool.status().documents).toBe(6);
  });

  it('that is asked to slow down waits as it is told, and what is sealed now goes on', async () => {
    const collector = await always((response, received) =>
      (isOfBacklog(received) ? answer(429, {}, { 'retry-after': '7' }) : accept)(response, received),
    );
    const spool = await spoolOf(await temporaryFolder(), BACKLOG);
    const events = new EventEmitter();
    const asked = once(events, 'wait');
    const wait = (ms: number, signal: AbortSignal): Promise<never> => {
      events.emit('wait', ms);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    };
    const { log, lines } = recordingLog();
    const { pusher } = buildPusher({ ...to(collector.url), spool, log }, { wait });
    pusher.start();
    expect(await asked).toEqual([7500]);
    await spool.append(buildDocument(9));
    await collector.received(3);
    await spool.append(buildDocument(10));
    const requests = await collector.received(4);
    expect(requests.filter((received) => !isOfBacklog(received)).map(sequenceIn)).toEqual([8, 9, 10]);
    expect(requests.filter(isOfBacklog).map(sequenceIn)).toEqual([1]);
    await pusher.stop();
    expect(pusher.status()).toMatchObject({ failuresInARow: 1, lastAcceptedSequence: 10 });
    // Catching up more slowly is nothing to complain of.
    expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  it('of which few are left goes with what is sealed now, and its troubles are over', async () => {
    const collector = await always((response, received) =>
      (isOfBacklog(received) ? answer(429) : accept)(response, received),
    );
    const spool = await spoolOf(await temporaryFolder(), [1, 2, 3]);
    const { pusher, waits } = buildPusher({ ...to(collector.url), spool });
    pusher.start();
    await expect.poll(() => spool.status().documents).toBe(0);
    await pusher.stop();
    expect(collector.requests.filter(isOfBacklog).map(sequenceIn)).toEqual([1]);
    expect(waits).toEqual([LIMITS.pushBackoffMsMin]);
    expect(pusher.status().failuresInARow).toBe(0);
  });

  it('that is stuck at a document does not keep back what is sealed now', async () => {
    const events = new EventEmitter();
    const last = once(events, 'received 1 at last');
    let isStuck = true;
    const collector = await always((response, received) => {
      const sequence = sequenceIn(received);
      const isRefused = sequence === 1 && isStuck;
      if (sequence === 9) isStuck = false;
      (isRefused ? answer(500) : accept)(response, received);
      if (sequence === 1 && !isRefused) events.emit('received 1 at last');
    });
    const spool = await spoolOf(await temporaryFolder(), [1, 2, 3, 4, 5]);
    const { pusher } = buildPusher({ ...to(collector.url), spool });
    pusher.start();
    await collector.received(4);
    for (const sequence of [6, 7, 8, 9]) await spool.append(buildDocument(sequence));
    await last;
    await pusher.stop();
    const order = collector.requests.map(sequenceIn);
    expect(order.filter((sequence) => sequence >= 5)).toEqual([5, 6, 7, 8, 9]);
  });

  it('whose newest document is refused for good goes on with the others', async () => {
    const folder = await temporaryFolder();
    const collector = await always((response, received) =>
      (sequenceIn(received) === 8 ? answer(422, 'no') : accept)(response, received),
    );
    const spool = await spoolOf(folder, BACKLOG);
    const { pusher } = buildPusher({ ...to(collector.url), spool });
    pusher.start();
    expect(new Set((await collector.received(8)).map(sequenceIn))).toEqual(new Set(BACKLOG));
    await pusher.stop();
    expect(await quarantined(folder)).toEqual({ '0000000000000008.jws': 'HTTP 422: no\n' });
    expect(spool.status().documents).toBe(0);
  });
});

describe('an outage', () => {
  it('in the middle of a backlog counts once, changes the collector once, and costs no document', async () => {
    const unhurried = new Unhurried();
    const events = new EventEmitter();
    const busy = once(events, 'five under way');
    const first = await always((response, received) => {
      unhurried.script(response, received);
      if (unhurried.underWay.at(-1) === 5) events.emit('five under way');
    });
    const second = await always(accept);
    const spool = await spoolOf(await temporaryFolder(), upTo(200));
    const { pusher, waits } = buildPusher({ ...to(first.url, second.url), spool });
    pusher.start();
    await busy;
    await first.close();
    await expect.poll(() => spool.status().documents, { timeout: 20_000 }).toBe(0);
    await pusher.stop();
    expect(waits).toEqual([LIMITS.pushBackoffMsMin]);
    expect(new Set([...first.requests, ...second.requests].map(sequenceIn))).toEqual(new Set(upTo(200)));
    expect(pusher.status().collectors.map(({ inUse }) => inUse)).toEqual([false, true]);
  });

  it('ends with the window that was sealed last, and those before it are the backlog', async () => {
    const port = await freePort();
    const collector = new CollectorStub([]);
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const waits: number[] = [];
    const wait = async (ms: number): Promise<void> => {
      waits.push(ms);
      if (waits.length < 4) await spool.append(buildDocument(1 + waits.length));
      if (waits.length === 3) await collector.listen(port);
    };
    const { pusher } = buildPusher({ ...to(`http://127.0.0.1:${port}`), spool }, { wait });
    pusher.start();
    const requests = await collector.received(4);
    await pusher.stop();
    expect(requests.map(sequenceIn)[0]).toBe(4);
    expect(new Set(requests.map(sequenceIn))).toEqual(new Set([1, 2, 3, 4]));
    expect(waits).toEqual([500, 500, 500]);
  });
});
