/** The HTTP server of the collector: its routes, its limits, and one shape for everything that goes wrong. */

import { type FastifyInstance, fastify } from 'fastify';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { asConnectionError, asPopprobeError, sendError, sendErrorOnSocket, statusOf } from './answers.ts';
import { type ApiParts, registerApi } from './api.ts';
import { endConnectionsOnClose } from './connections.ts';
import { type IngestParts, registerIngest } from './ingest.ts';

export type ServerParts = IngestParts & ApiParts;

/** Builds the server without starting it. Closing it lets requests that have begun come to their end, within limits. */
export function buildServer(parts: ServerParts): FastifyInstance {
  const app = fastify({
    requestTimeout: LIMITS.ingestRequestTimeoutMs,
    connectionTimeout: LIMITS.connectionSilentMsMax,
    // While closing, requests on open connections are served: an agent's document is accepted rather than sent again.
    return503OnClosing: false,
    frameworkErrors: (error, _request, reply) => void sendError(reply, asPopprobeError(error)),
    clientErrorHandler: (error, socket) => sendErrorOnSocket(socket, asConnectionError(error)),
  });
  endConnectionsOnClose(app);
  // Bodies are read by the ingest route alone, as octets: nobody else may parse or limit them.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler((error, _request, reply) => {
    const known = asPopprobeError(error);
    if (statusOf(known.code) >= 500) parts.log.error({ err: known }, 'request failed');
    return sendError(reply, known);
  });
  app.setNotFoundHandler((request, reply) => sendError(reply, noSuchRoute(request.method, request.url)));
  registerIngest(app, parts);
  registerApi(app, parts);
  return app;
}

function noSuchRoute(method: string, url: string): PopprobeError {
  return new PopprobeError('not_found', {
    expected: 'a route of docs/protocol.md',
    found: `${method} ${url.slice(0, 200)}`,
    remedy: 'correct the address',
  });
}
