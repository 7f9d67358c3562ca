/** Collectors and proxies that never come to an end: whatever they stop at, a try is over after its limit. */

import { EventEmitter, once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type * as Limits from '../../src/base/limits.ts';
import { buildPusher, to } from './push-rig.ts';
import { spoolOf, temporaryFolder } from './spool-fixture.ts';

// The real timers with other figures: the product's 10 s are nothing to wait for. undici's timers are late by up to 1 s.
vi.mock('../../src/base/limits.ts', async (original) => {
  const { LIMITS } = await original<typeof Limits>();
  return { LIMITS: { ...LIMITS, pushTimeoutMs: 200, pushTryMsMax: 4000 } };
});

/** Listens on 127.0.0.1 until the test is over, whoever is still connected then. */
async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What the pusher says of its first try, after which it must still hold the document. */
async function firstFailure(url: string, proxy: string | null = null): Promise<string | null> {
  const spool = await spoolOf(await temporaryFolder(), [1]);
  const events = new EventEmitter();
  const waiting = once(events, 'waiting');
  const wait = async (_ms: number, signal: AbortSignal): Promise<void> => {
    events.emit('waiting');
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
  };
  const { pusher } = buildPusher({ ...to(url), proxy, spool }, { wait });
  pusher.start();
  await waiting;
  await pusher.stop();
  expect(spool.status().documents).toBe(1);
  return pusher.status().lastError;
}

/** Sends an octet every few ms for as long as the connection lives. */
function drip(socket: { write(text: string): unknown; destroyed: boolean }): void {
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else socket.write('x');
  }, 20);
  onTestFinished(() => clearInterval(timer));
}

describe('a try ends', () => {
  it('when nobody shakes hands', async () => {
    const silent = await listen(createServer());
    expect(await firstFailure(`https://${silent}`)).toMatch(/^UND_ERR_CONNECT_TIMEOUT/);
  });

  it('when no answer begins', async () => {
    const silent = await listen(createHttpServer());
    expect(await firstFailure(`http://${silent}`)).toMatch(/^UND_ERR_HEADERS_TIMEOUT/);
  });

  it('when an answer stops in the middle', async () => {
    const stopping = createHttpServer((_, response) => response.writeHead(200, { 'content-length': '100' }).write('x'));
    expect(await firstFailure(`http://${await listen(stopping)}`)).toMatch(/BODY_TIMEOUT|does not end/);
  });

  it('when an answer goes on and on, octet by octet', async () => {
    const dripping = createHttpServer((_, response) => drip(response.writeHead(200)));
    expect(await firstFailure(`http://${await listen(dripping)}`)).toMatch(/does not end/);
  });

  it('when the head of an answer goes on and on, octet by octet', async () => {
    const dripping = createServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-endless: ');
      drip(socket);
    });
    expect(await firstFailure(`http://${await listen(dripping)}`)).toMatch(/UND_ERR_HEADERS_TIMEOUT|no answer within/);
  });

  it('when the proxy does not answer CONNECT', async () => {
    const silent = await listen(createServer());
    expect(await firstFailure('https://collector.example.net', `http://${silent}`)).toBe(
      `the proxy ${silent} does not answer`,
    );
  });

  it('when the head of the answer to CONNECT goes on and on, octet by octet', async () => {
    const dripping = createServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-endless: ');
      drip(socket);
    });
    const proxy = await listen(dripping);
    expect(await firstFailure('https://collector.example.net', `http://${proxy}`)).toBe(
      `the proxy ${proxy} does not answer`,
    );
  });

  it('when nobody shakes hands behind the proxy', async () => {
    const proxy = createHttpServer();
    proxy.on('connect', (_, socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    const failure = await firstFailure('https://collector.example.net', `http://${await listen(proxy)}`);
    expect(failure).toMatch(/^UND_ERR_CONNECT_TIMEOUT/);
  });
});
