/** Answers local questions over a Unix socket; HTTP, so that curl can ask too. */

import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { PopprobeError } from '../base/errors.ts';
import { errnoOf } from './disk-error.ts';
import { answerLocally, type Route } from './local-api.ts';

/**
 * Listens on `path`, open to this user only.
 * Throws config_conflict when another agent answers there or a file of another kind is in the way, config_invalid_value
 * when no socket can be made there.
 */
export async function serveStatus(path: string, routes: readonly Route[]): Promise<{ stop(): Promise<void> }> {
  await removeStale(path);
  const server = createServer((request, response) => void answerLocally(routes, request, response));
  await listen(server, path);
  return { stop: () => close(server) };
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
