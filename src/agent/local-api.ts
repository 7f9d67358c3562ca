/** Questions to the agent as HTTP: which route answers, what is read of the question, and how a refusal looks. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { type ErrorCode, PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/** One question that the agent answers. */
export interface Route {
  method: 'GET' | 'POST';
  path: string;
  /** Content type of an answer that is text already; without it answers are JSON. */
  type?: string;
  /** The answer: a value to be sent as JSON, a Readable of JSON text, or with a `type` the text itself. `question` is the body of a POST as text; it is empty for GET. */
  answer(question: string): unknown;
}

/** What is not listed is a fault of the agent: 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  malformed: 400,
  not_found: 404,
  too_large: 413,
  trace_too_soon: 429,
};

/** Answers one request. Never rejects. */
export async function answerLocally(
  routes: readonly Route[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const route = routeOf(routes, request);
    const answer = await route.answer(route.method === 'POST' ? await readQuestion(request) : '');
    if (route.type === undefined) send(response, 200, answer);
    else response.writeHead(200, { 'content-type': route.type }).end(answer);
  } catch (error) {
    const refusal = error instanceof PopprobeError ? error : internal(error);
    const { code, message, expected, found, remedy } = refusal;
    send(response, STATUS[code] ?? 500, { error: { code, message, expected, found, remedy } });
  }
}

function routeOf(routes: readonly Route[], request: IncomingMessage): Route {
  const route = routes.find(({ method, path }) => method === request.method && path === request.url);
  if (route) return route;
  throw new PopprobeError('not_found', {
    expected: routes.map(({ method, path }) => `${method} ${path}`).join(' or '),
    found: `${request.method} ${request.url}`,
    remedy: 'correct the address',
  });
}

async function readQuestion(request: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LIMITS.questionBytesMax) {
      throw new PopprobeError('too_large', {
        expected: `a question of at most ${LIMITS.questionBytesMax} octets`,
        found: 'more',
        remedy: 'send less',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, status: number, body: unknown): void {
  // A question that was not read to its end leaves its rest in the connection.
  if (status === 413) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'application/json' });
  if (body instanceof Readable) {
    // It fails only when whoever asked has hung up; the pipeline then drops the connection, and there is nobody to tell.
    pipeline(body, response, () => undefined);
    return;
  }
  response.end(`${JSON.stringify(body)}\n`);
}

function internal(cause: unknown): PopprobeError {
  return new PopprobeError('internal', {
    expected: 'an answer',
    found: cause instanceof Error ? cause.message : String(cause),
    remedy: 'report this as a bug of popprobe',
    cause,
  });
}
