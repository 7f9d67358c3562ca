/** A reverse proxy that does to requests what bad networks and worn-out load balancers do, as a script says. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

export const MISDEEDS = [
  'none',
  'drop the request',
  'drop the answer',
  'delay',
  'truncate the request',
  'truncate the answer',
  'duplicate',
  'answer 500',
  'answer 503',
  'answer 413',
  'answer 429',
] as const;
export type Misdeed = (typeof MISDEEDS)[number];

interface Answer {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Buffer;
}

/** Answers with the script's misdeeds, one per request, and does as it should when there are no more. */
export class HostileProxy {
  readonly done = new Map<Misdeed, number>();
  readonly #upstream: string;
  readonly #script: Misdeed[];
  readonly #delayMs: number;
  readonly #server = createServer((incoming, response) => {
    this.#serve(incoming, response).catch(() => response.destroy());
  });

  constructor(upstream: string, script: readonly Misdeed[], delayMs = 20) {
    this.#upstream = upstream;
    this.#script = [...script];
    this.#delayMs = delayMs;
  }

  /** Listens until the test is over, and returns the URL. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    onTestFinished(() => {
      this.#server.close();
      this.#server.closeAllConnections();
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const misdeed = this.#script.shift() ?? 'none';
    this.done.set(misdeed, (this.done.get(misdeed) ?? 0) + 1);
    const body = await buffer(incoming);
    await this.#misbehave(misdeed, incoming, body, response);
  }

  async #misbehave(misdeed: Misdeed, incoming: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const forward = (): Promise<Answer> => this.#forward(incoming, body);
    switch (misdeed) {
      case 'none':
        return relay(response, await forward());
      case 'delay':
        await sleep(this.#delayMs);
        return relay(response, await forward());
      case 'duplicate':
        await forward();
        return relay(response, await forward());
      case 'drop the request':
        return void response.destroy();
      case 'drop the answer':
        await forward();
        return void response.destroy();
      case 'truncate the request':
        await this.#forwardHalf(incoming, body);
        return void response.destroy();
      case 'truncate the answer': {
        const { status, body: answer } = await forward();
        response.writeHead(status, { 'content-length': answer.length });
        response.write(answer.subarray(0, answer.length >> 1), () => response.destroy());
        return;
      }
      default:
        response.writeHead(Number(misdeed.slice('answer '.length))).end('<html>it is me, your load balancer</html>');
    }
  }

  async #forward({ url, method, headers }: IncomingMessage, body: Buffer): Promise<Answer> {
    const outgoing = request(new URL(url ?? '', this.#upstream), { method: method ?? '', headers, agent: false });
    outgoing.end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 500, headers: answer.headers, body: await buffer(answer) };
  }

  /** Announces the whole body, sends half of it and hangs up. */
  async #forwardHalf({ url, method, headers }: IncomingMessage, body: Buffer): Promise<void> {
    const outgoing = request(new URL(url ?? '', this.#upstream), { method: method ?? '', headers, agent: false });
    const gone = once(outgoing, 'close');
    outgoing.on('error', () => undefined);
    outgoing.write(body.subarray(0, body.length >> 1), () => outgoing.destroy());
    await gone;
  }
}

function relay(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}
