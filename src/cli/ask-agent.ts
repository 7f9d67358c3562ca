/** Asks the agent on this host over its Unix socket, for the commands that do. */

import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { PopprobeError } from '../base/errors.ts';
import { refusalOf } from './refusal.ts';
import { requireConfig } from './require-config.ts';

export const DEFAULT_SOCKET = '/run/popprobe/agent.sock';

/** Where the command line says that the agent listens. */
export interface AgentOptions {
  socket?: string;
  config?: string;
}

/** The socket that was named, the one of the agent file that was named, or the default. Throws config errors. */
export async function socketPath(options: AgentOptions): Promise<string> {
  if (options.socket !== undefined) return options.socket;
  if (options.config === undefined) return DEFAULT_SOCKET;
  const { loadAgentConfig } = await import('../config/agent-config.ts');
  return requireConfig(loadAgentConfig(options.config)).statusSocket;
}

/** What is asked of the agent: GET, or POST with a body. */
export interface Question<Answer> {
  path: string;
  timeoutMs: number;
  body?: unknown;
  /** What the answer must have: another program may listen there, or an agent of another version. */
  members: readonly (keyof Answer & string)[];
}

/**
 * Sends a question and returns the answer.
 *
 * @throws PopprobeError `agent_unreachable` when no agent of this version answers in time; the agent's own error when it
 * refuses
 */
export async function askAgent<Answer>(socket: string, question: Question<Answer>): Promise<Answer> {
  const { status, answer } = await exchange(socket, question).catch((cause: unknown) => {
    throw unreachable(socket, cause instanceof Error ? cause.message : String(cause), cause);
  });
  if (status === 200) {
    const missing = question.members.find((member) => !Object.hasOwn(Object(answer) as object, member));
    if (missing === undefined) return answer as Answer;
    throw unreachable(socket, `something else, or an agent of another version: an answer without "${missing}"`);
  }
  throw refusalOf(answer) ?? unreachable(socket, `something else, which answers with HTTP status ${status}`);
}

interface Exchange {
  status: number | undefined;
  answer: unknown;
}

function exchange(socket: string, { path, timeoutMs, body }: Omit<Question<unknown>, 'members'>): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const asked = request({ socketPath: socket, path, method, timeout: timeoutMs }, (response) => {
      json(response).then((answer) => resolve({ status: response.statusCode, answer }), reject);
    });
    asked.on('error', reject);
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function unreachable(socket: string, found: string, cause?: unknown): PopprobeError {
  return new PopprobeError('agent_unreachable', {
    expected: `a running agent on ${socket}`,
    found,
    remedy: 'start the agent, or name its socket with --socket or its file with --config',
    cause,
  });
}
