/** The connections of the collector's server: none of them keeps it from ending, or keeps anything in memory for ever. */

import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * When the server closes, connections without a request end at once, and the others when it is answered: clients are told
 * that their next one will not be taken. What then still goes on is cut off: node:http checks no time limit any more once
 * it closes, so that one client that sends nothing would hold up the end for ever.
 */
export function endConnectionsOnClose(app: FastifyInstance): void {
  /** Of each connection, how many requests are not answered yet. */
  const requests = new Map<Socket, number>();
  let isClosing = false;
  app.server.on('connection', (socket) => {
    requests.set(socket, 0);
    socket.once('close', () => requests.delete(socket));
  });
  const count = (socket: Socket, change: 1 | -1): void => {
    const before = requests.get(socket);
    if (before !== undefined) requests.set(socket, before + change);
  };
  app.addHook('onRequest', ({ raw: { socket } }, reply, done) => {
    count(socket, 1);
    reply.raw.once('close', () => count(socket, -1));
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('preClose', (done) => {
    isClosing = true;
    for (const [socket, open] of requests) if (open === 0) socket.destroy();
    const late = setTimeout(() => {
      for (const socket of requests.keys()) socket.destroy();
    }, LIMITS.collectorStopGraceMs);
    // A server that never came to listen is not closed either, and must not wait for this.
    late.unref();
    app.server.once('close', () => clearTimeout(late));
    done();
  });
}

/** Answers a bounded number of requests to these routes at a time, from their begin until their answer is taken or given up. */
export function limitReaders(routes: FastifyInstance): void {
  let readers = 0;
  routes.addHook('onRequest', (_request, reply, done) => {
    if (readers >= LIMITS.readersAtOnceMax) {
      done(tooManyReaders());
      return;
    }
    readers += 1;
    reply.raw.once('close', () => (readers -= 1));
    done();
  });
}

function tooManyReaders(): PopprobeError {
  return new PopprobeError('busy', {
    expected: `fewer than ${LIMITS.readersAtOnceMax} questions to be answered`,
    found: `${LIMITS.readersAtOnceMax}`,
    remedy: 'ask again later, and read each answer before the next question',
  });
}
