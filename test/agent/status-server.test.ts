/** The status socket: real HTTP over a real Unix socket, for this user only, and only one agent on it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveStatus } from '../../src/agent/status-server.ts';
import type { AgentStatus, PackedStatus } from '../../src/agent/status.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildSummary, octetsOf } from '../protocol/summary-fixture.ts';
import { temporaryFolder } from './spool-fixture.ts';
import { buildStatus } from './status-fixture.ts';

async function socketPath(): Promise<string> {
  return join(await temporaryFolder(), 'agent.sock');
}

async function serve(path: string, status: () => AgentStatus = buildStatus): Promise<{ stop(): Promise<void> }> {
  const server = await serveStatus(path, () => pack(status()));
  onTestFinished(() => (existsSync(path) ? server.stop() : undefined));
  return server;
}

/** As the agent holds it. */
function pack(status: AgentStatus): PackedStatus {
  return { ...status, latest: status.latest && gzipSync(octetsOf(status.latest)) };
}

async function ask(socket: string, path: string, method = 'GET') {
  const asked = request({ socketPath: socket, path, method });
  asked.end();
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, type: response.headers['content-type'], body: await text(response) };
}

/** What kill -9 leaves of an agent: a socket file that nobody answers. */
async function leaveStaleSocket(path: string): Promise<void> {
  const script = 'require("node:net").createServer().listen(process.argv[1], () => console.log("listening"))';
  const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'close');
  expect((await lstat(path)).isSocket()).toBe(true);
}

describe('the status socket', () => {
  it('answers GET /v1/status with the status of that moment', async () => {
    const path = await socketPath();
    let asked = 0;
    await serve(path, () => buildStatus({ pop: `pop${++asked}` }));
    for (const pop of ['pop1', 'pop2']) {
      const { status, type, body } = await ask(path, '/v1/status');
      expect([status, type]).toEqual([200, 'application/json']);
      expect(JSON.parse(body)).toEqual(buildStatus({ pop }));
      expect(body.endsWith('\n')).toBe(true);
    }
  });

  it('answers with the newest summary as it was sealed', async () => {
    const path = await socketPath();
    const latest = buildSummary();
    await serve(path, () => buildStatus({ latest }));
    const { body } = await ask(path, '/v1/status');
    expect(JSON.parse(body)).toEqual(buildStatus({ latest }));
    expect(body).toContain(`"latest":${Buffer.from(octetsOf(latest)).toString()}`);
  });

  it.each([
    ['GET', '/'],
    ['GET', '/v1/status/'],
    ['POST', '/v1/status'],
  ])('answers %s %s with 404 and what it expected', async (method, url) => {
    const path = await socketPath();
    await serve(path);
    const { status, body } = await ask(path, url, method);
    expect(status).toBe(404);
    const message = `expected GET /v1/status; found ${method} ${url}`;
    expect(JSON.parse(body)).toEqual({ error: { code: 'not_found', message } });
  });

  it('is open to this user only', async () => {
    const path = await socketPath();
    await serve(path);
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
  });

  it('is gone after the end, even with a client in the middle of its question', async () => {
    const path = await socketPath();
    const server = await serve(path);
    const client = connect(path);
    await once(client, 'connect');
    client.resume().write('GET /v1/status HTTP/1.1\r\n');
    // Answered later than the half question arrived: the server knows of it.
    await ask(path, '/v1/status');
    await Promise.all([server.stop(), once(client, 'close')]);
    expect(existsSync(path)).toBe(false);
  });
});

describe('a path that is taken', () => {
  it('by a socket that nobody answers any more is used again', async () => {
    const path = await socketPath();
    await leaveStaleSocket(path);
    await serve(path);
    expect((await ask(path, '/v1/status')).status).toBe(200);
  });

  it('by a running agent is refused, and that agent goes on answering', async () => {
    const path = await socketPath();
    await serve(path, () => buildStatus({ pop: 'first' }));
    const refusal = await refusalOf(() => serveStatus(path, () => pack(buildStatus({ pop: 'second' }))));
    expect(refusal.code).toBe('config_conflict');
    expect(refusal.message).toContain(path);
    expect(JSON.parse((await ask(path, '/v1/status')).body)).toMatchObject({ pop: 'first' });
  });

  it('by a file of another kind is refused, and the file is kept', async () => {
    const path = await socketPath();
    await writeFile(path, 'precious');
    expect((await refusalOf(() => serveStatus(path, () => pack(buildStatus())))).code).toBe('config_conflict');
    expect(await readFile(path, 'utf8')).toBe('precious');
  });
});

describe('a path where no socket can be made', () => {
  it('is refused with its name', async () => {
    const path = join(await temporaryFolder(), 'no', 'such', 'folder', 'agent.sock');
    const refusal = await refusalOf(() => serveStatus(path, () => pack(buildStatus())));
    expect(refusal.code).toBe('config_invalid_value');
    expect(refusal.message).toContain(path);
  });
});
