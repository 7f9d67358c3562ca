/** A real HTTP or HTTPS server on 127.0.0.1 that answers as the test's script says, and tells what it was sent. */

import { EventEmitter, once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  atMs: number;
}

/** Sends an answer, or holds it back, or breaks the connection. */
export type Script = (response: ServerResponse, received: Received) => void;

export function answer(status: number, body: string | object = {}, headers: Record<string, string> = {}): Script {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (response) => void response.writeHead(status, headers).end(text);
}

export const accept: Script = answer(200);

/** Answers with the script's entries, one per request, and with 200 when there are no more. */
export class CollectorStub {
  readonly requests: Received[] = [];
  connections = 0;
  readonly #events = new EventEmitter();
  readonly #server: Server;
  readonly #scheme: string;

  /** Speaks TLS when certificates are given. */
  constructor(script: readonly Script[], tls?: ServerOptions) {
    const remaining = [...script];
    const listener: RequestListener = (request, response) => {
      const { method = '', url: path = '', headers } = request;
      const take = (body: Buffer): void => {
        const received = { method, path, headers, body, atMs: performance.now() };
        this.requests.push(received);
        (remaining.shift() ?? accept)(response, received);
        this.#events.emit('request');
      };
      // A request that breaks off was none; its connection is gone already.
      buffer(request).then(take, () => response.destroy());
    };
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
    this.#server.on('connection', () => {
      this.connections += 1;
    });
  }

  /** Listens, on a port of the system's choice when none is given, until the test is over. */
  async listen(port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    onTestFinished(() => this.close());
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo;
    return address.port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** Settles when `count` requests have come in all. */
  async received(count: number): Promise<Received[]> {
    while (this.requests.length < count) await once(this.#events, 'request');
    return this.requests;
  }
}

/** A port on which nobody listens: one that was free a moment ago. */
export async function freePort(): Promise<number> {
  const stub = new CollectorStub([]);
  await stub.listen();
  const { port } = stub;
  await stub.close();
  return port;
}
