/** The status socket: real HTTP over a real Unix socket, for this user only, and only one agent on it. */

import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Route } from '../../src/agent/local-api.ts';
import { serveStatus } from '../../src/agent/status-server.ts';
import { statusText } from '../../src/agent/status-text.ts';
import type { AgentStatus, PackedStatus } from '../../src/agent/status.ts';
import { PopprobeError } from '../../src/base/errors.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildSummary, octetsOf } from '../protocol/summary-fixture.ts';
import { temporaryFolder } from './spool-fixture.ts';
import { buildStatus } from './status-fixture.ts';

async function socketPath(): Promise<string> {
  return join(await temporaryFolder(), 'agent.sock');
}

function statusRoute(status: () => AgentStatus = buildStatus): Route {
  return { method: 'GET', path: '/v1/status', answer: () => statusText(pack(status())) };
}

async function serve(path: string, ...routes: Route[]): Promise<{ stop(): Promise<void> }> {
  const server = await serveStatus(path, [statusRoute(), ...routes]);
  onTestFinished(() => (existsSync(path) ? server.stop() : undefined));
  return server;
}

/** As the agent holds it. */
function pack(status: AgentStatus): PackedStatus {
  return { ...status, latest: status.latest && gzipSync(octetsOf(status.latest)) };
}

async function ask(socket: string, path: string, method = 'GET', question?: string) {
  const asked = request({ socketPath: socket, path, method });
  asked.end(question);
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
    const server = await serveStatus(path, [statusRoute(() => buildStatus({ pop: `pop${++asked}` }))]);
    onTestFinished(() => server.stop());
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
    const server = await serveStatus(path, [statusRoute(() => buildStatus({ latest }))]);
    onTestFinished(() => server.stop());
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
    const [expected, found, remedy] = ['GET /v1/status', `${method} ${url}`, 'correct the address'];
    const message = `expected ${expected}; found ${found}; ${remedy}`;
    expect(JSON.parse(body)).toEqual({ error: { code: 'not_found', message, expected, found, remedy } });
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

describe('a question with a body', () => {
  const echo: Route = { method: 'POST', path: '/v1/echo', answer: (question) => Promise.resolve({ question }) };

  it('is answered when its answer is there', async () => {
    const path = await socketPath();
    await serve(path, echo);
    expect(await ask(path, '/v1/echo', 'POST', 'ä'.repeat(2048))).toMatchObject({
      status: 200,
      body: `{"question":"${'ä'.repeat(2048)}"}\n`,
    });
  });

  it('that is too long is refused, and the socket goes on answering', async () => {
    const path = await socketPath();
    await serve(path, echo);
    const { status, body } = await ask(path, '/v1/echo', 'POST', 'x'.repeat(LIMITS.questionBytesMax + 1));
    expect([status, JSON.parse(body).error.code]).toEqual([413, 'too_large']);
    expect((await ask(path, '/v1/status')).status).toBe(200);
  });

  it.each([
    ['not_found', 404],
    ['malformed', 400],
    ['trace_too_soon', 429],
    ['spool_unusable', 500],
  ] as const)('that is refused with %s gets status %i and the error in its parts', async (code, expected) => {
    const path = await socketPath();
    const parts = { expected: 'this', found: 'that', remedy: 'do something' };
    await serve(path, { ...echo, answer: () => Promise.reject(new PopprobeError(code, parts)) });
    const { status, body } = await ask(path, '/v1/echo', 'POST', '');
    expect(status).toBe(expected);
    expect(JSON.parse(body)).toEqual({ error: { code, message: 'expected this; found that; do something', ...parts } });
  });

  it('over which the agent stumbles is answered with 500 and what happened', async () => {
    const path = await socketPath();
    await serve(path, { ...echo, answer: () => Promise.reject(new TypeError('no such thing')) });
    const { status, body } = await ask(path, '/v1/echo', 'POST', '');
    expect([status, JSON.parse(body).error]).toMatchObject([500, { code: 'internal', found: 'no such thing' }]);
  });

  it('whose asker has gone does no harm', async () => {
    const path = await socketPath();
    const asked = new EventEmitter();
    await serve(path, {
      ...echo,
      async answer() {
        asked.emit('asked');
        await once(asked, 'answer');
        return {};
      },
    });
    const gone = request({ socketPath: path, path: '/v1/echo', method: 'POST' });
    const reset = once(gone, 'error');
    gone.end('x');
    await once(asked, 'asked');
    gone.destroy(new Error('gone'));
    await reset;
    asked.emit('answer');
    expect((await ask(path, '/v1/status')).status).toBe(200);
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
    const first = await serveStatus(path, [statusRoute(() => buildStatus({ pop: 'first' }))]);
    onTestFinished(() => first.stop());
    const refusal = await refusalOf(() => serveStatus(path, [statusRoute(() => buildStatus({ pop: 'second' }))]));
    expect(refusal.code).toBe('config_conflict');
    expect(refusal.message).toContain(path);
    expect(JSON.parse((await ask(path, '/v1/status')).body)).toMatchObject({ pop: 'first' });
  });

  it('by a file of another kind is refused, and the file is kept', async () => {
    const path = await socketPath();
    await writeFile(path, 'precious');
    expect((await refusalOf(() => serveStatus(path, [statusRoute()]))).code).toBe('config_conflict');
    expect(await readFile(path, 'utf8')).toBe('precious');
  });
});

describe('a path where no socket can be made', () => {
  it('is refused with its name', async () => {
    const path = join(await temporaryFolder(), 'no', 'such', 'folder', 'agent.sock');
    const refusal = await refusalOf(() => serveStatus(path, [statusRoute()]));
    expect(refusal.code).toBe('config_invalid_value');
    expect(refusal.message).toContain(path);
  });
});
