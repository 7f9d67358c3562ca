/** One HTTP exchange with the collector: a sealed document goes out, an answer comes back. */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
// Two files instead of the front door, which also loads fetch, WebSocket and caches: 6 MB that no agent ever uses.
import request from 'undici/lib/api/api-request.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { LIMITS } from '../base/limits.ts';
import { SIGNATURE_HEADER } from '../protocol/jws.ts';
import type { SealedDocument } from './spool-file.ts';

/** What the collector said. Its text is a stranger's: cut to size, and free of control characters. */
export interface Answer {
  status: number;
  /** The collector's error code, or null where the body states none. */
  code: string | null;
  /** One sentence: the error's `message`, or the beginning of whatever the body is. */
  message: string;
  retryAfter: string | null;
}

const MESSAGE_CHARACTERS_MAX = 500;
/** Answers of ours name a code of this shape; anything else is somebody else's page. */
const CODE = /^[a-z_]{1,40}$/;

const compress = promisify(gzip);

/** A document as it travels. */
export interface Parcel {
  sequence: number;
  signature: string;
  /** The octets, gzipped. */
  body: Uint8Array;
}

/** Makes a document ready to be posted, once however often it is then tried. */
export async function pack({ sequence, signature, octets }: SealedDocument): Promise<Parcel> {
  return { sequence, signature, body: await compress(octets) };
}

export class CollectorConnection {
  readonly #pool: Dispatcher;
  readonly #path: string;

  /**
   * @param url where the collector is, with the path that a proxy may put before ours
   * @param ca certificates (PEM) to trust instead of the public ones, for an operator's own authority
   */
  constructor(url: string, ca?: string) {
    const { origin, pathname } = new URL(url);
    this.#path = `${pathname.replace(/\/+$/, '')}/v1/summaries`;
    // One connection: documents go one after another, because the collector checks each against the one before.
    this.#pool = new Pool(origin, {
      connections: 1,
      connect: { timeout: LIMITS.pushTimeoutMs, ...(ca === undefined ? {} : { ca }) },
      headersTimeout: LIMITS.pushTimeoutMs,
      bodyTimeout: LIMITS.pushTimeoutMs,
    });
  }

  /** Posts the document once. @throws whatever kept an answer from coming back */
  async post(parcel: Parcel, signal: AbortSignal): Promise<Answer> {
    const { statusCode, headers, body } = await request.call(this.#pool, {
      path: this.#path,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        [SIGNATURE_HEADER]: parcel.signature,
      },
      body: parcel.body,
      signal,
    });
    const retryAfter = headers['retry-after'];
    return {
      status: statusCode,
      ...readText(await readStart(body)),
      retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
    };
  }

  /** Drops the connection; a post under way fails. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

/**
 * Reads no more than the limit, and for no longer than a try may take: the connection's own timeout starts anew with
 * every octet. Leaving the loop early closes the connection, which is cheaper than reading on.
 */
async function readStart(body: Dispatcher.ResponseData['body']): Promise<string> {
  const tooSlow = setTimeout(() => body.destroy(new Error('the answer does not end')), LIMITS.pushTimeoutMs);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= LIMITS.answerBytesMax) break;
    }
  } finally {
    clearTimeout(tooSlow);
  }
  return Buffer.concat(chunks).toString('utf8', 0, LIMITS.answerBytesMax);
}

/** The body of a refusal is `{ "error": { "code", "message", … } }`. */
function readText(text: string): { code: string | null; message: string } {
  const { code, message } = membersOf(membersOf(parse(text))['error']);
  return {
    code: typeof code === 'string' && CODE.test(code) ? code : null,
    message: oneLine(typeof message === 'string' ? message : text),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MESSAGE_CHARACTERS_MAX);
}
