/** Several collectors: the next one takes over from one that fails, and the preferred one gets its place back. */

import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { answer, CollectorStub, freePort, type Script } from './collector-stub.ts';
import { buildPusher, complaints, to } from './push-rig.ts';
import { buildDocument, recordingLog, spoolOf, temporaryFolder } from './spool-fixture.ts';

async function listening(script: readonly Script[] = []): Promise<CollectorStub> {
  const collector = new CollectorStub(script);
  await collector.listen();
  return collector;
}

const inUse = (pusher: ReturnType<typeof buildPusher>['pusher']): number =>
  pusher.status().collectors.findIndex((collector) => collector.inUse);

describe('with two collectors', () => {
  it.each<[string, Script]>([
    ['breaks the connection', (response) => response.destroy()],
    ['answers 503', answer(503)],
    ['answers with the page of somebody else', answer(404, '<html>not here</html>')],
  ])('the second takes over when the first %s', async (_, failure) => {
    const [first, second] = [await listening([failure]), await listening()];
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const { pusher, waits } = buildPusher({ ...to(first.url, second.url), spool });
    pusher.start();
    await second.received(1);
    await pusher.stop();
    expect(waits).toEqual([LIMITS.pushBackoffMsMin]);
    expect(pusher.status().collectors).toEqual([
      { url: first.url, inUse: false, lastError: expect.any(String) },
      { url: second.url, inUse: true, lastError: null },
    ]);
    expect(spool.status().documents).toBe(0);
  });

  it('the first is asked again from time to time, not before, and used again as soon as it accepts', async () => {
    const port = await freePort();
    const first = new CollectorStub([]);
    const second = await listening();
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const { log, lines } = recordingLog();
    const urls = to(`http://127.0.0.1:${port}`, second.url);
    const { pusher, clock } = buildPusher({ ...urls, spool, log });
    pusher.start();
    await second.received(1);

    // The first is back, and it is not yet time to ask it.
    await first.listen(port);
    clock.ms = LIMITS.failbackEveryMs - 1;
    await spool.append(buildDocument(2));
    await second.received(2);
    expect(inUse(pusher)).toBe(1);

    clock.ms = LIMITS.failbackEveryMs;
    await spool.append(buildDocument(3));
    await first.received(1);
    await spool.append(buildDocument(4));
    await first.received(2);
    await pusher.stop();
    expect(inUse(pusher)).toBe(0);
    expect(second.requests).toHaveLength(2);
    expect(complaints(lines)).toEqual([expect.stringMatching(/^cannot deliver, will try again: ECONNREFUSED/)]);
    expect(lines.map(({ msg }) => msg)).toContain('back at a preferred collector');
  });

  it('a first one that still fails costs the document no wait: the second gets it at once', async () => {
    const first = await listening([answer(500), answer(500)]);
    const second = await listening();
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const { pusher, waits, clock } = buildPusher({ ...to(first.url, second.url), spool });
    pusher.start();
    await second.received(1);
    clock.ms = LIMITS.failbackEveryMs;
    await spool.append(buildDocument(2));
    await second.received(2);
    await pusher.stop();
    expect(first.requests).toHaveLength(2);
    expect(waits).toEqual([LIMITS.pushBackoffMsMin]);
    expect(pusher.status()).toMatchObject({ lastAcceptedSequence: 2, failuresInARow: 0 });
  });

  it('one that asks for a long rest is left alone, and the other one tried again and again meanwhile', async () => {
    const first = await listening([answer(503, {}, { 'retry-after': '600' })]);
    const second = await listening([answer(500), answer(500)]);
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const { pusher, waits } = buildPusher({ ...to(first.url, second.url), spool });
    pusher.start();
    await second.received(3);
    await pusher.stop();
    expect(first.requests).toHaveLength(1);
    expect(waits).toEqual([500, 500, 500]);
  });

  it('one that asks to slow down is waited for', async () => {
    const first = await listening([answer(429, {}, { 'retry-after': '7' })]);
    const second = await listening();
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const { pusher, waits } = buildPusher({ ...to(first.url, second.url), spool });
    pusher.start();
    await first.received(2);
    await pusher.stop();
    expect(waits).toEqual([7500]);
    expect(second.requests).toEqual([]);
  });

  it('of which none can be reached, each is complained of once, and both are tried in turn', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const { log, lines } = recordingLog();
    const second = new CollectorStub([]);
    const waits: number[] = [];
    const wait = async (ms: number): Promise<void> => {
      if (waits.push(ms) === 5) await second.listen(b);
    };
    const urls = to(`http://127.0.0.1:${a}`, `http://127.0.0.1:${b}`);
    const { pusher } = buildPusher({ ...urls, spool, log }, { wait });
    pusher.start();
    await second.received(1);
    await pusher.stop();
    expect(complaints(lines)).toHaveLength(2);
    expect(spool.status().documents).toBe(0);
  });
});
