/** Delivery over real HTTP: order, retries, refusals for good, one connection, and an orderly stop. */

import { EventEmitter, once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { Logger } from 'pino';
import { describe, expect, it } from 'vitest';
import { Pusher } from '../../src/agent/push.ts';
import type { Spool } from '../../src/agent/spool.ts';
import { encodeDocument } from '../../src/agent/spool-file.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { ACCEPT_ENCODING } from '../../src/protocol/content-encoding.ts';
import { accept, answer, CollectorStub, freePort, type Received, type Script } from './collector-stub.ts';
import { buildPusher, NOW_MS, to } from './push-rig.ts';
import {
  buildDocument,
  open,
  quarantined,
  recordingLog,
  silentLog,
  spoolOf,
  temporaryFolder,
} from './spool-fixture.ts';

interface Rig {
  collector: CollectorStub;
  pusher: Pusher;
  spool: Spool;
  folder: string;
  /** The waits the pusher asked for, ms; each is granted at once. */
  waits: number[];
}

/** A pusher at work on a spool of `sequences`, towards a collector that follows the script. */
async function startRig(sequences: readonly number[], script: readonly Script[], log?: Logger): Promise<Rig> {
  const folder = await temporaryFolder();
  const spool = await spoolOf(folder, sequences);
  const collector = new CollectorStub(script);
  await collector.listen();
  const { pusher, waits } = buildPusher({ ...to(collector.url), spool, ...(log && { log }) });
  pusher.start();
  return { collector, pusher, spool, folder, waits };
}

const sequenceIn = ({ body }: Received): number => JSON.parse(gunzipSync(body).toString()).sequence;

/** Lets `count` requests come in and the last one be dealt with. */
async function finish({ collector, pusher }: Rig, count: number): Promise<number[]> {
  const requests = await collector.received(count);
  await pusher.stop();
  return requests.map(sequenceIn);
}

describe('delivery', () => {
  it('posts the sealed octets compressed, with their signature, to the path of the protocol', async () => {
    const rig = await startRig([7], []);
    await finish(rig, 1);
    const [request] = rig.collector.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v1/documents',
      headers: {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'x-jws-signature': 'header..signature7',
      },
    });
    expect(gunzipSync(request?.body ?? '')).toEqual(buildDocument(7).octets);
    expect(rig.spool.status().documents).toBe(0);
  });

  it('keeps the path that the configured address begins with', async () => {
    const collector = new CollectorStub([]);
    await collector.listen();
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const { pusher } = buildPusher({ ...to(`${collector.url}/popprobe/`), spool });
    pusher.start();
    expect((await collector.received(1))[0]?.path).toBe('/popprobe/v1/documents');
  });

  it('goes in order over one connection, while no backlog waits', async () => {
    const rig = await startRig([1, 2], []);
    for (let sequence = 3; sequence <= 20; sequence += 1) {
      await rig.collector.received(sequence - 1);
      await rig.spool.append(buildDocument(sequence));
    }
    expect(await finish(rig, 20)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(rig.collector.connections).toBe(1);
    expect(rig.pusher.status()).toEqual({
      lastAcceptedSequence: 20,
      lastAcceptedAtMs: NOW_MS,
      lastError: null,
      failuresInARow: 0,
      quarantined: 0,
      collectors: [{ url: rig.collector.url, inUse: true, lastError: null }],
    });
  });

  it('begins with a document that is appended while it waits for one', async () => {
    const rig = await startRig([], []);
    await rig.spool.append(buildDocument(1));
    await rig.collector.received(1);
    await rig.spool.append(buildDocument(2));
    expect(await finish(rig, 2)).toEqual([1, 2]);
    expect(rig.waits).toEqual([]);
  });

  it('posts what it cannot take off the disk once, and again after a restart', async () => {
    const folder = await temporaryFolder();
    const spool = await open(folder);
    // A folder of that name makes every write of head.json fail, without which the newest document does not go.
    await mkdir(join(folder, 'head.json'));
    await spool.append(buildDocument(1));
    const collector = new CollectorStub([]);
    await collector.listen();
    const { pusher } = buildPusher({ ...to(collector.url), spool });
    pusher.start();
    await collector.received(1);
    await spool.append(buildDocument(2));
    await collector.received(2);
    await pusher.stop();
    expect(spool.status()).toMatchObject({ documents: 0, undeleted: 1 });
    expect(pusher.status()).toMatchObject({ lastAcceptedSequence: 2, failuresInARow: 0 });
    const restarted = buildPusher({ ...to(collector.url), spool: await open(folder) });
    restarted.pusher.start();
    const signatures = (await collector.received(3)).map(({ headers }) => headers['x-jws-signature']);
    expect(signatures).toEqual([1, 2, 2].map((sequence) => `header..signature${sequence}`));
  });
});

describe('compression', () => {
  const hasZstd = ACCEPT_ENCODING.includes('zstd');
  const offering = answer(200, {}, { 'accept-encoding': 'gzip, zstd' });
  const encodings = ({ requests }: CollectorStub): unknown[] =>
    requests.map(({ headers }) => headers['content-encoding']);

  it('is gzip until the collector says that it takes zstd, and this host has it', async () => {
    const rig = await startRig([1, 2], [offering, answer(200)]);
    await rig.collector.received(2);
    await rig.spool.append(buildDocument(3));
    await rig.collector.received(3);
    await rig.pusher.stop();
    expect(encodings(rig.collector)).toEqual(['gzip', hasZstd ? 'zstd' : 'gzip', 'gzip']);
  });

  it.skipIf(!hasZstd).each([400, 415])('goes back to gzip for good when zstd is refused with %i', async (status) => {
    const refusing = answer(status, {}, { 'accept-encoding': 'gzip, zstd' });
    const rig = await startRig([1, 2], [offering, refusing, offering]);
    await rig.collector.received(3);
    await rig.spool.append(buildDocument(3));
    await rig.collector.received(4);
    await rig.pusher.stop();
    expect(encodings(rig.collector)).toEqual(['gzip', 'zstd', 'gzip', 'gzip']);
    expect(rig.pusher.status()).toMatchObject({ quarantined: 0, lastAcceptedSequence: 3 });
    expect(rig.waits).toEqual([]);
  });
});

describe('an answer that may be another one next time', () => {
  it.each([202, 204, 302, 404, 405, 408, 425, 429, 500, 502, 503, 504])('%i is tried again', async (status) => {
    const rig = await startRig([1, 2], [answer(status, status === 204 ? '' : 'not now')]);
    expect(await finish(rig, 3)).toEqual([1, 1, 2]);
    expect(rig.waits).toEqual([LIMITS.pushBackoffMsMin]);
    expect(rig.pusher.status()).toMatchObject({ failuresInARow: 0, quarantined: 0 });
    expect(rig.pusher.status().lastError).toMatch(`HTTP ${status}`);
  });

  it('is tried again no sooner than Retry-After says, in seconds or as a date', async () => {
    const rig = await startRig(
      [1],
      [
        answer(503, {}, { 'retry-after': '7' }),
        answer(429, {}, { 'retry-after': 'Thu, 01 Jan 2026 12:00:30 GMT' }),
        answer(503, {}, { 'retry-after': '86400' }),
      ],
    );
    expect(await finish(rig, 4)).toEqual([1, 1, 1, 1]);
    const jitter = LIMITS.pushBackoffMsMin;
    expect(rig.waits).toEqual([7000 + jitter, 30_000 + jitter, LIMITS.retryAfterMsMax + jitter]);
  });

  it('is really waited for', async () => {
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const collector = new CollectorStub([answer(503, {}, { 'retry-after': '1' })]);
    await collector.listen();
    const options = { ...to(collector.url), spool, log: silentLog, random: () => 0, nowMs: () => NOW_MS };
    const pusher = new Pusher(options);
    pusher.start();
    const [first, second] = await collector.received(2);
    await pusher.stop();
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(1000);
  });

  it('may be no answer at all: the connection breaks before it, or in the middle', async () => {
    const rig = await startRig(
      [1, 2],
      [
        (response) => response.destroy(),
        (response) => {
          response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
        },
      ],
    );
    expect(await finish(rig, 4)).toEqual([1, 1, 1, 2]);
  });

  it('is one warning however long it lasts, and one line when it is over', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1]);
    const port = await freePort();
    const collector = new CollectorStub([]);
    const { log, lines } = recordingLog();
    const waits: number[] = [];
    const wait = async (ms: number) => {
      if (waits.push(ms) === 4) await collector.listen(port);
    };
    const url = `http://127.0.0.1:${port}`;
    const pusher = new Pusher({ ...to(url), spool, log, random: () => 0.5, nowMs: () => NOW_MS, wait });
    pusher.start();
    await collector.received(1);
    await pusher.stop();
    expect(waits).toEqual([750, 1250, 2250, 4250]);
    expect(pusher.status()).toMatchObject({ lastAcceptedSequence: 1, failuresInARow: 0 });
    expect(pusher.status().lastError).toMatch(/^ECONNREFUSED/);
    expect(lines.filter(({ level }) => level > 20).map(({ level, msg }) => [level, msg])).toEqual([
      [40, 'cannot deliver, will try again'],
      [30, 'the collector accepts documents again'],
    ]);
  });
});

describe('a refusal for good', () => {
  it.each([400, 401, 403, 409, 413, 422])('%i goes to the quarantine, and the next is delivered', async (status) => {
    const { log, lines } = recordingLog();
    const refusal = answer(status, { error: { code: 'chain_conflict', message: 'expected prev a;\n found prev b' } });
    const rig = await startRig([1, 2], [refusal], log);
    expect(await finish(rig, 2)).toEqual([1, 2]);
    const reason = `HTTP ${status} chain_conflict: expected prev a; found prev b`;
    expect(await quarantined(rig.folder)).toEqual({ '0000000000000001.jws': `${reason}\n` });
    expect(await readFile(join(rig.folder, 'quarantine', '0000000000000001.jws'))).toEqual(
      Buffer.concat(encodeDocument(buildDocument(1))),
    );
    expect(rig.waits).toEqual([]);
    expect(rig.pusher.status()).toMatchObject({ lastAcceptedSequence: 2, lastError: reason, quarantined: 1 });
    expect(lines.filter(({ level }) => level === 50)).toMatchObject([{ sequence: 1, status, code: 'chain_conflict' }]);
  });

  it.each([
    ['nothing', '', 'HTTP 403: '],
    ["a proxy's page", '<html>\n<h1>Forbidden</h1>', 'HTTP 403: <html> <h1>Forbidden</h1>'],
    ['JSON of another shape', '[1]', 'HTTP 403: [1]'],
    ['an error without members', '{"error":null}', 'HTTP 403: {"error":null}'],
    ['a code that is none of ours', '{"error":{"code":"Not Ours!","message":"no"}}', 'HTTP 403: no'],
    ['control characters', '{"error":{"message":"\\u001b[31mred\\u0000"}}', 'HTTP 403: [31mred'],
  ])('may carry %s', async (_, body, reason) => {
    const rig = await startRig([1], [answer(403, body)]);
    await finish(rig, 1);
    expect(Object.values(await quarantined(rig.folder))).toEqual([`${reason}\n`]);
  });

  it('is read up to a limit, however much follows', async () => {
    const endless: Script = (response) => {
      response.writeHead(422);
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x')));
      };
      response.on('drain', write).on('error', () => response.destroy());
      write();
    };
    const rig = await startRig([1, 2], [endless]);
    expect(await finish(rig, 2)).toEqual([1, 2]);
    expect(Object.values(await quarantined(rig.folder))).toEqual([`HTTP 422: ${'x'.repeat(500)}\n`]);
  });
});

describe('stop', () => {
  it('ends a wait at once and keeps the document', async () => {
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const collector = new CollectorStub([answer(503, {}, { 'retry-after': '600' })]);
    await collector.listen();
    const events = new EventEmitter();
    const wait = (ms: number, signal: AbortSignal) => {
      events.emit('waiting');
      return sleep(ms, undefined, { signal });
    };
    const options = { ...to(collector.url), spool, log: silentLog, random: () => 0, nowMs: () => NOW_MS, wait };
    const pusher = new Pusher(options);
    pusher.start();
    await once(events, 'waiting');
    await pusher.stop();
    expect(spool.status().documents).toBe(1);
  });

  it('lets a try that is under way finish', async () => {
    let letFinish = (): void => undefined;
    const hold: Script = (response, received) => {
      letFinish = () => accept(response, received);
    };
    const rig = await startRig([1, 2], [hold]);
    await rig.collector.received(1);
    const stopped = rig.pusher.stop();
    letFinish();
    await stopped;
    expect(rig.collector.requests).toHaveLength(1);
    expect(rig.spool.status().documents).toBe(1);
    expect(rig.pusher.status().lastAcceptedSequence).toBe(1);
  });

  it('gives up a try that does not finish, and keeps the document', async () => {
    const rig = await startRig([1], [() => undefined]);
    await finish(rig, 1);
    expect(rig.spool.status().documents).toBe(1);
    expect(rig.pusher.status()).toMatchObject({ lastAcceptedSequence: null, failuresInARow: 1 });
  });

  it('is harmless before the start, while the spool is empty, and twice', async () => {
    const spool = await open(await temporaryFolder());
    await buildPusher({ ...to('http://127.0.0.1:9'), spool }).pusher.stop();
    const { pusher } = buildPusher({ ...to('http://127.0.0.1:9'), spool });
    pusher.start();
    pusher.start();
    await pusher.stop();
    await pusher.stop();
    expect(pusher.status().failuresInARow).toBe(0);
  });
});
