/** Delivery through an HTTP proxy: CONNECT where TLS is spoken, plain forwarding where it is not. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toolsMissing } from '../linux/privileges.ts';
import { Authority } from './authority.ts';
import { CollectorStub } from './collector-stub.ts';
import { buildPusher, complaints, NO_TLS, to } from './push-rig.ts';
import { buildDocument, recordingLog, spoolOf, temporaryFolder } from './spool-fixture.ts';

/** A proxy as RFC 9110 has it; `seen` lists what it was asked, and `tunnels` what it opened. */
class Proxy {
  readonly seen: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** Each CONNECT is answered with the next of `refusals` as long as there are any. */
  constructor(refusals: number[] = []) {
    this.#server = createServer((incoming, response) => {
      this.seen.push(`${incoming.method} ${incoming.url}`);
      const { method, headers } = incoming;
      const outgoing = request(incoming.url ?? '', { method: method ?? '', headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      incoming.pipe(outgoing.on('error', () => response.destroy()));
    });
    this.#server.on('connection', (socket: Socket) => this.#sockets.add(socket));
    this.#server.on('connect', ({ url = '' }: IncomingMessage, socket: Socket) => {
      this.seen.push(`CONNECT ${url}`);
      const refusal = refusals.shift();
      if (refusal !== undefined) {
        socket.end(`HTTP/1.1 ${refusal} No\r\ncontent-length: 0\r\n\r\n`);
        return;
      }
      const { hostname, port } = new URL(`http://${url}`);
      const upstream = connect(Number(port), hostname, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(upstream).pipe(socket);
      });
      for (const end of [socket, upstream]) end.on('error', () => undefined);
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    onTestFinished(() => {
      for (const socket of this.#sockets) socket.destroy();
      this.#server.close();
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
}

describe('a proxy before a collector without TLS', () => {
  it('is given the whole URL, and forwards', async () => {
    const collector = new CollectorStub([]);
    await collector.listen();
    const proxy = new Proxy();
    const options = { ...to(`${collector.url}/popprobe`), proxy: await proxy.listen() };
    const { pusher } = buildPusher({ ...options, spool: await spoolOf(await temporaryFolder(), [1]) });
    pusher.start();
    const [received] = await collector.received(1);
    await pusher.stop();
    expect(proxy.seen).toEqual([`POST ${collector.url}/popprobe/v1/documents`]);
    expect(received).toMatchObject({ path: '/popprobe/v1/documents', headers: { host: new URL(collector.url).host } });
    expect(pusher.status()).toMatchObject({ lastAcceptedSequence: 1, lastError: null });
  });
});

const missing = toolsMissing('openssl');

describe.skipIf(missing)(`a proxy before a collector with TLS (${missing ?? 'with openssl'})`, () => {
  async function rig(refusals: number[] = []) {
    const folder = await temporaryFolder();
    const authority = new Authority(folder, 'own');
    const { key, cert } = authority.issue('collector', 'IP:127.0.0.1');
    const collector = new CollectorStub([], { key, cert });
    await collector.listen();
    const proxy = new Proxy(refusals);
    const { log, lines } = recordingLog();
    const spool = await spoolOf(await temporaryFolder(), [1]);
    const tls = { ...NO_TLS, ca: authority.certificate };
    const options = { ...to(collector.url), tls, proxy: await proxy.listen(), spool, log };
    return { collector, proxy, spool, lines, ...buildPusher(options) };
  }

  it("opens one tunnel for all documents, and the certificate is the collector's", async () => {
    const { collector, proxy, spool, pusher } = await rig();
    pusher.start();
    await collector.received(1);
    await spool.append(buildDocument(2));
    await collector.received(2);
    await pusher.stop();
    expect(proxy.seen).toEqual([`CONNECT 127.0.0.1:${collector.port}`]);
    expect(pusher.status()).toMatchObject({ lastAcceptedSequence: 2, lastError: null });
    expect(spool.status().documents).toBe(0);
  });

  it('that refuses is complained of once and asked again, at the pace of the backoff', async () => {
    const { collector, proxy, lines, waits, pusher } = await rig([407, 502]);
    pusher.start();
    await collector.received(1);
    await pusher.stop();
    expect(proxy.seen).toHaveLength(3);
    expect(waits).toEqual([500, 500]);
    expect(complaints(lines)).toEqual([
      expect.stringMatching(/^cannot deliver, will try again: the proxy 127\.0\.0\.1:\d+ answers 407 to CONNECT /),
    ]);
  });
});
