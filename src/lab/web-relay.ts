/** Makes a TCP server inside a network namespace reachable on 127.0.0.1 of this one: connections in, octets both ways. */

import { once } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { openStreamSocket } from '../linux/stream-socket.ts';
import { inNetNamespace } from '../linux/net-namespace.ts';

const LOCALHOST = '127.0.0.1';

export class WebRelay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** Connects to `port` on the loopback address of the namespace. */
  constructor(namespace: string, port: number) {
    this.#server = createServer((outside) => this.#relay(outside, namespace, port));
    this.#server.maxConnections = LIMITS.labWebConnectionsMax;
  }

  /** Throws port_taken. */
  async listen(port: number): Promise<void> {
    try {
      this.#server.listen(port, LOCALHOST);
      await once(this.#server, 'listening');
    } catch (cause) {
      throw new PopprobeError('port_taken', {
        expected: `port ${port} of ${LOCALHOST} to be free`,
        found: String(cause),
        remedy: 'end the program that listens there, or choose another port with --port',
        cause,
      });
    }
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relay(outside: Socket, namespace: string, port: number): void {
    // A socket belongs to the namespace that it was made in, wherever it is used.
    const inside = new Socket({ fd: inNetNamespace(namespace, () => openStreamSocket('ipv4')) });
    for (const socket of [outside, inside]) {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    }
    inside.connect({ host: LOCALHOST, port });
    // The end of one is the end of the other, whichever side breaks off; there is nobody to tell.
    pipeline(outside, inside, outside, () => {
      outside.destroy();
      inside.destroy();
    });
  }
}
