/** Clients that send nothing, read nothing, or ask for too much at a time: the collector keeps its memory, and ends. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import type * as Limits from '../../src/base/limits.ts';
import { SqliteStore } from '../../src/collector/store/sqlite-store.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { buildPeer } from '../protocol/summary-fixture.ts';
import { Rig } from './harness.ts';

// The real timers with other figures: a minute is nothing to wait for, and 256 MiB are nothing to send.
vi.mock('../../src/base/limits.ts', async (original) => {
  const { LIMITS: real } = await original<typeof Limits>();
  const times = { connectionSilentMsMax: 500, brokenConnectionMsMax: 200, collectorStopGraceMs: 300 };
  return { LIMITS: { ...real, ...times, readersAtOnceMax: 4, receivedBytesMax: 100_000 } };
});

const HEALTH = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';

let rig: Rig;
let sockets: Socket[];

beforeEach(async () => {
  rig = await Rig.start();
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await rig.end();
});

/** A client that has sent this, keeps its side open whatever comes, and reads what it is told to. */
async function client(text: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(rig.url).port), allowHalfOpen: true });
  sockets.push(socket.on('error', () => undefined));
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** The head of a document that is registered, and the first octets of its body. */
async function halfDocument(octets: number): Promise<string> {
  const { signature } = await rig.sign();
  const head = `POST /v1/documents HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n${SIGNATURE_HEADER}: ${signature}`;
  return `${head}\r\n\r\n${'a'.repeat(octets)}`;
}

/** All that comes until the server ends the connection. */
async function answersOn(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  await once(socket, 'end');
  return text;
}

describe('a collector that stops', () => {
  it.each([
    ['says nothing', async () => ''],
    ['has sent half a head', async () => 'GET /healthz HTTP/1.1\r\nho'],
    ['has sent no HTTP, and does not hang up', async () => 'noise\r\n\r\n'],
    ['waits with its next request', async () => HEALTH],
    ['has sent half a document', () => halfDocument(10)],
  ])('is not held up by a client that %s', async (_what, text) => {
    await client(await text());
    // Answered behind it, so that the server knows of it.
    await rig.get('/healthz');
    await expect(Promise.race([rig.close(), once(AbortSignal.timeout(4000), 'abort')])).resolves.toBeUndefined();
  });
});

describe('a connection', () => {
  it('on which no HTTP came is cut off behind the answer, also when the client does not hang up', async () => {
    const socket = await client('noise\r\n\r\n');
    socket.resume();
    await once(socket, 'end');
    // It has ended in one direction; a write into a connection that is gone is refused.
    await expect
      .poll(() => {
        socket.write('more');
        return socket.destroyed;
      })
      .toBe(true);
  });

  it('whose reader takes nothing is closed, and what it asked for is kept no longer', async () => {
    // More than the kernel holds between the two ends.
    const peers = Array.from({ length: 800 }, (_, index) => buildPeer(`p${index}`));
    const { octets, signature } = await rig.sign({ peers });
    const headers = { [SIGNATURE_HEADER]: signature, 'content-encoding': 'gzip' };
    expect((await rig.postBody(gzipSync(octets), headers)).status).toBe(200);
    const readers = await Promise.all(
      Array.from({ length: LIMITS.readersAtOnceMax }, () =>
        client('GET /api/v1/documents/fra/1 HTTP/1.1\r\nhost: x\r\n\r\n'),
      ),
    );
    for (const reader of readers) reader.pause();
    await expect.poll(async () => (await rig.get('/api/v1/gaps/fra')).status).toBe(429);
    await expect.poll(async () => (await rig.get('/api/v1/gaps/fra')).status, { timeout: 5000 }).toBe(200);
  });
});

describe('readers', () => {
  it('are answered so many at a time, however many questions one connection sends at once', async () => {
    await rig.post(await rig.sign());
    const questions = 'GET /api/v1/documents/fra/1 HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(50);
    const text = await answersOn(
      await client(`${questions}GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
    );
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);
    expect(statuses.filter((status) => status === '429')).toHaveLength(50 - LIMITS.readersAtOnceMax);
    expect(statuses.filter((status) => status === '200')).toHaveLength(LIMITS.readersAtOnceMax + 1);
    expect((await rig.get('/api/v1/documents/fra/1')).status).toBe(200);
  });
});

describe('the mesh', () => {
  it('is read once for all who ask for it together', async () => {
    const reading = vi.spyOn(SqliteStore.prototype, 'mesh');
    const questions = 'GET /api/v1/mesh HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(LIMITS.readersAtOnceMax);
    const text = await answersOn(await client(`${questions}${HEALTH.replace('x', 'x\r\nconnection: close')}`));
    expect(text.match(/"generated_at"/g)).toHaveLength(LIMITS.readersAtOnceMax);
    expect(reading).toHaveBeenCalledTimes(1);
    reading.mockRestore();
  });
});

describe('bodies', () => {
  it('that are being received have so much room together; what comes then is told to come later, and does', async () => {
    const { octets, signature } = await rig.sign();
    const stalled = await client(await halfDocument(LIMITS.receivedBytesMax - 10));
    await expect.poll(async () => (await rig.postBody(octets, { [SIGNATURE_HEADER]: signature })).status).toBe(429);
    expect((await rig.get('/healthz')).json).toMatchObject({ refused: { busy: expect.any(Number) as unknown } });
    stalled.destroy();
    await expect.poll(async () => (await rig.postBody(octets, { [SIGNATURE_HEADER]: signature })).status).toBe(200);
  });
});
