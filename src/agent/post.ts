/** HTTP exchanges with a collector: a sealed document goes out, an answer comes back. */

import type { Dispatcher } from 'undici';
import request from 'undici/lib/api/api-request.js';
import { LIMITS } from '../base/limits.ts';
import { MS_PER_S } from '../base/units.ts';
import { bestEncoding, compress, type ContentEncoding } from '../protocol/content-encoding.ts';
import { DOCUMENTS_ROUTE } from '../protocol/document-kind.ts';
import { SIGNATURE_HEADER } from '../protocol/jws.ts';
import { BACKLOG_PRIORITY, PRIORITY_HEADER } from '../protocol/priority.ts';
import { type Endpoint, openRoute, type Route } from './route.ts';
import type { SealedDocument } from './spool-file.ts';

/** What the collector said. Its text is a stranger's: cut to size, and free of control characters. */
export interface Answer {
  status: number;
  /** The collector's error code, or null where the body states none. */
  code: string | null;
  /** One sentence: the error's `message`, or the beginning of whatever the body is. */
  message: string;
  retryAfter: string | null;
  /** What was refused may be the compression and not the document: pack it anew, and try once more. */
  isEncodingRefused: boolean;
}

const MESSAGE_CHARACTERS_MAX = 500;
/** Answers of ours name a code of this shape; anything else is somebody else's page. */
const CODE = /^[a-z_]{1,40}$/;
/** How a body of an encoding that is not understood is refused, by ours and by others (RFC 9110 section 15.5.16). */
const ENCODING_REFUSALS: ReadonlySet<number> = new Set([400, 415]);

/** A document as it travels. */
export interface Parcel {
  sequence: number;
  signature: string;
  encoding: ContentEncoding;
  /** The octets, compressed. */
  body: Uint8Array;
}

/** Makes a document ready to be posted, once however often it is then tried. */
export async function pack(document: SealedDocument, encoding: ContentEncoding): Promise<Parcel> {
  const { sequence, signature, octets } = document;
  return { sequence, signature, encoding, body: await compress(octets, encoding) };
}

/** The connections to a collector, until one try on them takes too long: those beside it will not fare better. */
interface Way {
  readonly route: Route;
  givenUp: Error | null;
}

export class CollectorConnection {
  readonly #endpoint: Endpoint;
  #way: Way;
  #encoding: ContentEncoding = 'gzip';
  #isZstdRefused = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    this.#way = { route: openRoute(endpoint), givenUp: null };
  }

  get url(): string {
    return this.#endpoint.url;
  }

  /** How documents for this collector are to be packed: gzip until it has said that it takes something better. */
  get encoding(): ContentEncoding {
    return this.#encoding;
  }

  /**
   * Posts the document once.
   *
   * @param isBacklog it may wait at the collector, behind what others have sealed now
   * @throws whatever kept an answer from coming back within `LIMITS.pushTryMsMax`, or until `signal` aborts
   */
  async post(parcel: Parcel, isBacklog: boolean, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const way = this.#way;
    const giveUp = (why: string): void => this.#abandon(way, why);
    const onAbort = (): void => giveUp('given up, because the agent stops');
    const late = setTimeout(giveUp, LIMITS.pushTryMsMax, `no answer within ${LIMITS.pushTryMsMax / MS_PER_S} s`);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await this.#exchange(way.route, parcel, isBacklog);
    } catch (error) {
      throw way.givenUp ?? error;
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Drops the connections; posts under way fail. */
  close(): Promise<void> {
    return this.#way.route.dispatcher.destroy();
  }

  async #exchange({ dispatcher, prefix, host }: Route, parcel: Parcel, isBacklog: boolean): Promise<Answer> {
    const { statusCode, headers, body } = await request.call(dispatcher, {
      path: `${prefix}${DOCUMENTS_ROUTE}`,
      method: 'POST',
      headers: {
        host,
        'content-type': 'application/json',
        'content-encoding': parcel.encoding,
        [SIGNATURE_HEADER]: parcel.signature,
        ...(isBacklog && { [PRIORITY_HEADER]: BACKLOG_PRIORITY }),
      },
      body: parcel.body,
    });
    const text = await readStart(body);
    const isEncodingRefused = parcel.encoding === 'zstd' && ENCODING_REFUSALS.has(statusCode);
    this.#learnEncoding(isEncodingRefused, headers['accept-encoding']);
    const retryAfter = headers['retry-after'];
    return {
      status: statusCode,
      ...readText(text),
      retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
      isEncodingRefused,
    };
  }

  #learnEncoding(isRefused: boolean, accepted: string | string[] | undefined): void {
    this.#isZstdRefused ||= isRefused;
    this.#encoding = typeof accepted === 'string' && !this.#isZstdRefused ? bestEncoding(accepted) : 'gzip';
  }

  /** undici cannot abort what still waits for its connection: only without its dispatcher it is over at once. */
  #abandon(way: Way, why: string): void {
    if (way.givenUp !== null) return;
    way.givenUp = new Error(why);
    if (this.#way === way) this.#way = { route: openRoute(this.#endpoint), givenUp: null };
    void way.route.dispatcher.destroy();
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
