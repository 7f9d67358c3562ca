/** Commands that ask an agent, where something else answers: in words, and nothing that a terminal would obey. */

import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { askAgent } from '../../src/cli/ask-agent.ts';
import { temporaryFolder } from '../agent/spool-fixture.ts';
import { refusalOf } from '../protocol/refusal.ts';

/** The socket of somebody who answers everything like this. */
async function answering(status: number, body: unknown): Promise<string> {
  const socket = join(await temporaryFolder(), 'socket');
  const server = createServer((_, response) => response.writeHead(status).end(JSON.stringify(body))).listen(socket);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return socket;
}

const ask = (socket: string) =>
  askAgent<{ one: number; other: number }>(socket, { path: '/', timeoutMs: 5000, members: ['one', 'other'] });

describe('an answer on the status socket', () => {
  it('is taken with all that it must have', async () => {
    const answer = { one: 1, other: null, more: 2 };
    expect(await ask(await answering(200, answer))).toEqual(answer);
  });

  it.each([null, 5, 'text', [], {}, { one: 1 }])('that is %j is of no agent of this version', async (answer) => {
    const refusal = await refusalOf(async () => ask(await answering(200, answer)));
    expect(refusal).toMatchObject({ code: 'agent_unreachable', found: expect.stringMatching(/answer without "/) });
  });

  it.each([
    { error: 'text' },
    { error: { code: 'internal' } },
    { error: { code: 'internal', expected: 'a', found: { b: 1 }, remedy: 'c' } },
    { error: { code: 'no_such_code', expected: 'a', found: 'b', remedy: 'c' } },
  ])('that refuses with %j is no refusal of ours', async (answer) => {
    const refusal = await refusalOf(async () => ask(await answering(500, answer)));
    expect(refusal).toMatchObject({ code: 'agent_unreachable', found: expect.stringContaining('HTTP status 500') });
  });

  it('that refuses is shown, and not obeyed, and not without end', async () => {
    const error = { code: 'internal', expected: '\u001b[2J', found: 'x'.repeat(10_000), remedy: 'none' };
    const refusal = await refusalOf(async () => ask(await answering(500, { error })));
    expect(refusal).toMatchObject({ code: 'internal', expected: String.raw`\u{1b}[2J`, found: 'x'.repeat(1000) });
  });
});
