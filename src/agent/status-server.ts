/** Answers local questions over a Unix socket; HTTP, so that curl can ask too. */

import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PopprobeError } from '../base/errors.ts';
import { errnoOf } from './disk-error.ts';
import type { PackedStatus } from './status.ts';

/**
 * Listens on `path`, open to this user only.
 * Throws config_conflict when another agent answers there or a file of another kind is in the way, config_invalid_value
 * when no socket can be made there.
 */
export async function serveStatus(path: string, status: () => PackedStatus): Promise<{ stop(): Promise<void> }> {
  await removeStale(path);
  const server = createServer((request, response) => answer(request, response, status));
  await listen(server, path);
  return { stop: () => close(server) };
}

function answer(request: IncomingMessage, response: ServerResponse, status: () => PackedStatus): void {
  const known = request.method === 'GET' && request.url === '/v1/status';
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
  if (known) {
    writeStatus(response, status());
    return;
  }
  const message = `expected GET /v1/status; found ${request.method} ${request.url}`;
  response.end(`${JSON.stringify({ error: { code: 'not_found', message } })}\n`);
}

/** The summary goes out as the text it is, piece by piece: as objects, a thousand paths would take 10 MB. */
function writeStatus(response: ServerResponse, { latest, ...rest }: PackedStatus): void {
  const text = JSON.stringify({ ...rest, latest: null });
  if (latest === null) {
    response.end(`${text}\n`);
    return;
  }
  const framed = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer | string> {
    yield text.slice(0, -'null}'.length);
    yield* pieces;
    yield '}\n';
  };
  // It fails only when whoever asked has hung up; the pipeline then drops the connection, and there is nobody to tell.
  pipeline(Readable.from([latest]), createGunzip(), framed, response, () => undefined);
}

async function listen(server: Server, path: string): Promise<void> {
  try {
    server.listen(path);
    await once(server, 'listening');
    await chmod(path, 0o600);
  } catch (cause) {
    throw new PopprobeError('config_invalid_value', {
      expected: `a status_socket that this user can make at ${path}`,
      found: errnoOf(cause) ?? String(cause),
      remedy: 'make its folder and let this user write to it, or choose another status_socket',
      cause,
    });
  }
}

/** A socket file that nobody answers is what kill -9 leaves behind; one that answers belongs to a running agent. */
async function removeStale(path: string): Promise<void> {
  const probe = connect(path);
  try {
    await once(probe, 'connect');
  } catch {
    await removeSocket(path);
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

/** Only ever a socket: a mistyped path must not cost somebody a file. */
async function removeSocket(path: string): Promise<void> {
  const left = lstatSync(path, { throwIfNoEntry: false });
  if (left && !left.isSocket()) {
    throw new PopprobeError('config_conflict', {
      expected: `a socket or nothing at ${path}`,
      found: 'a file of another kind',
      remedy: 'choose another status_socket, or remove the file',
    });
  }
  await rm(path, { force: true });
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
