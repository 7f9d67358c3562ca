/** How errors look on HTTP: one status per code and one shape for all of them, the framework's own included. */

import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { type ErrorCode, PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/** What is not listed is no answer to a request; should it come up, it is a fault of the collector: 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  malformed: 400,
  unknown_key: 401,
  bad_signature: 401,
  key_not_for_pop: 403,
  key_not_yet_valid: 403,
  key_expired: 403,
  key_revoked: 403,
  not_found: 404,
  request_timeout: 408,
  chain_conflict: 409,
  too_large: 413,
  schema: 422,
  busy: 429,
  internal: 500,
  store_unusable: 503,
};

/** What is over soon says so: without it, senders try again when they think fit. */
const RETRY_AFTER_S: Partial<Record<ErrorCode, number>> = {
  busy: LIMITS.busyRetryAfterS,
  store_unusable: LIMITS.storeRetryAfterS,
};

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 500;
}

/** The body of every refusal. */
interface ErrorAnswer {
  error: { code: ErrorCode; message: string; expected: string; found: string; remedy: string };
}

function answerOf({ code, message, expected, found, remedy }: PopprobeError): ErrorAnswer {
  return { error: { code, message, expected, found, remedy } };
}

/** Answers a request with an error. */
export function sendError(reply: FastifyReply, error: PopprobeError): FastifyReply {
  const retryAfterS = RETRY_AFTER_S[error.code];
  if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS);
  return reply.code(statusOf(error.code)).send(answerOf(error));
}

/** Answers what was not even a request, on the bare connection, and closes it: also for a client that does not. */
export function sendErrorOnSocket(socket: Socket, error: PopprobeError): void {
  if (!socket.writable) return;
  const late = setTimeout(() => socket.destroy(), LIMITS.brokenConnectionMsMax);
  socket.once('close', () => clearTimeout(late));
  const body = JSON.stringify(answerOf(error));
  const head = [
    `HTTP/1.1 ${statusOf(error.code)} ${error.code}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Any thrown value as a PopprobeError. What nobody foresaw becomes `internal`, keeps its cause and tells no detail. */
export function asPopprobeError(error: unknown): PopprobeError {
  if (error instanceof PopprobeError) return error;
  const status = statusCodeOf(error);
  if (status === 413 || status === 414) {
    const remedy = 'send less';
    return new PopprobeError('too_large', {
      expected: 'a smaller request',
      found: messageOf(error),
      remedy,
      cause: error,
    });
  }
  if (status >= 400 && status < 500) return malformedRequest(error);
  return new PopprobeError('internal', {
    expected: 'an answer',
    found: 'a fault of the collector',
    remedy: "send it again later; the collector's log has the cause",
    cause: error,
  });
}

/** What node:http could not read as a request, or did not get to the end of in time. */
export function asConnectionError(error: Error & { code?: string }): PopprobeError {
  if (error.code !== 'ERR_HTTP_REQUEST_TIMEOUT') return malformedRequest(error);
  return new PopprobeError('request_timeout', {
    expected: `the whole request within ${LIMITS.ingestRequestTimeoutMs} ms`,
    found: 'a part of it',
    remedy: 'send it again',
    cause: error,
  });
}

function malformedRequest(cause: unknown): PopprobeError {
  const remedy = 'send the request as docs/protocol.md says';
  return new PopprobeError('malformed', { expected: 'an HTTP request', found: messageOf(cause), remedy, cause });
}

function statusCodeOf(error: unknown): number {
  if (!(error instanceof Error && 'statusCode' in error)) return 500;
  return typeof error.statusCode === 'number' ? error.statusCode : 500;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
