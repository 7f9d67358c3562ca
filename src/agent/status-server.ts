/** Answers local questions over a Unix socket; HTTP, so that curl can ask too. */

import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { PopprobeError } from '../base/errors.ts';
import type { AgentStatus } from './status.ts';

/** Listens on `path`, readable by this user only. Throws config_conflict when another agent already answers there. */
export async function serveStatus(path: string, status: () => AgentStatus): Promise<{ close(): Promise<void> }> {
  await removeStale(path);
  const server = createServer((request, response) => answer(request, response, status));
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o600);
  return { close: () => close(server) };
}

function answer(request: IncomingMessage, response: ServerResponse, status: () => AgentStatus): void {
  const known = request.method === 'GET' && request.url === '/v1/status';
  const body = known
    ? status()
    : { error: { code: 'not_found', message: `expected GET /v1/status; found ${request.method} ${request.url}` } };
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** A socket file that nobody answers is what kill -9 leaves behind; one that answers belongs to a running agent. */
async function removeStale(path: string): Promise<void> {
  const probe = connect(path);
  try {
    await once(probe, 'connect');
  } catch {
    await rm(path, { force: true });
    return;
  } finally {
    probe.destroy();
  }
  throw new PopprobeError('config_conflict', {
    expected: `nobody else to answer on ${path}`,
    found: 'another agent that does',
    remedy: 'stop the other agent, or give this one another status_socket',
  });
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
