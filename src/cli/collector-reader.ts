/** Reads documents from a collector, and believes nothing but that it answered. */

import type { Dispatcher } from 'undici';
import { Pool } from 'undici';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { type DocumentList, documentListSchema } from '../protocol/document-list.ts';
import { type GapList, gapListSchema } from '../protocol/gap-list.ts';
import { SIGNATURE_HEADER } from '../protocol/jws.ts';
import { refusalOf } from './refusal.ts';

/** Which part of a list is asked for: windows that start and records that are in [fromS, toS), numbers above `after`. */
export interface ListQuery {
  pop: string;
  fromS: number;
  toS: number;
  after: number;
}

/** A document as the collector hands it out; the line is null when it handed out none. */
export interface FetchedDocument {
  octets: Uint8Array;
  signature: string | null;
}

/** Every method throws PopprobeError: the collector's own refusal, `collector_unreachable`, `too_large` or `malformed`. */
export class CollectorReader {
  readonly #pool: Pool;
  readonly #url: string;
  readonly #prefix: string;

  /** @param url where the collector is, with the path that a proxy may put before ours */
  constructor(url: URL) {
    this.#url = url.href;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.#pool = new Pool(url.origin, {
      connections: LIMITS.evidenceFetchesMax,
      connect: { timeout: LIMITS.collectorAnswerMsMax },
      headersTimeout: LIMITS.collectorAnswerMsMax,
      bodyTimeout: LIMITS.collectorAnswerMsMax,
    });
  }

  /** A page of the documents of a PoP, by number: all above `after`, whatever else the collector says. */
  async list({ pop, fromS, toS, after }: ListQuery): Promise<DocumentList> {
    const path = `/api/v1/documents/${pop}?from=${fromS}&to=${toS}&after=${after}`;
    const { octets } = await this.#get(path, LIMITS.documentListBytesMax);
    const { success, data } = documentListSchema.safeParse(parseJson(octets));
    if (success && isOnward(data.documents, data.next_after, after)) return data;
    throw this.#noList('documents');
  }

  /** A page of the numbers that the collector misses of a PoP: all above `after`, whatever else it says. */
  async gaps(pop: string, after: number): Promise<GapList> {
    const { octets } = await this.#get(`/api/v1/gaps/${pop}?after=${after}`, LIMITS.documentListBytesMax);
    const { success, data } = gapListSchema.safeParse(parseJson(octets));
    const ends = data?.gaps.map(({ to_sequence: sequence }) => ({ sequence })) ?? [];
    if (success && isOnward(ends, data.next_after, after)) return data;
    throw this.#noList('gaps');
  }

  async document(pop: string, sequence: number): Promise<FetchedDocument> {
    const { octets, headers } = await this.#get(`/api/v1/documents/${pop}/${sequence}`, LIMITS.summaryBytesMax);
    const line = headers[SIGNATURE_HEADER];
    return { octets, signature: typeof line === 'string' ? line : null };
  }

  /** Drops the connections; what is still on its way fails. */
  close(): Promise<void> {
    return this.#pool.destroy();
  }

  async #get(path: string, bytesMax: number): Promise<{ octets: Buffer; headers: Dispatcher.ResponseData['headers'] }> {
    const { statusCode, headers, octets } = await this.#exchange(path, bytesMax);
    if (octets === null) {
      throw new PopprobeError('too_large', {
        expected: `an answer of at most ${bytesMax} octets`,
        found: 'a longer one',
        remedy: 'see whether this is the address of a collector',
      });
    }
    if (statusCode === 200) return { octets, headers };
    throw (
      refusalOf(parseJson(octets)) ?? this.#unreachable(`something else, which answers with HTTP status ${statusCode}`)
    );
  }

  async #exchange(path: string, bytesMax: number) {
    try {
      const { statusCode, headers, body } = await this.#pool.request({ path: this.#prefix + path, method: 'GET' });
      return { statusCode, headers, octets: await readUpTo(body, bytesMax) };
    } catch (cause) {
      throw this.#unreachable(cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  #noList(of: string): PopprobeError {
    return new PopprobeError('malformed', {
      expected: `a list of ${of}, by sequence number`,
      found: `something else, from ${this.#url}`,
      remedy: 'see whether this is the address of a collector of this version',
    });
  }

  #unreachable(found: string, cause?: unknown): PopprobeError {
    return new PopprobeError('collector_unreachable', {
      expected: `a collector that answers on ${this.#url}`,
      found,
      remedy: 'correct the address, or try again: nothing was changed',
      cause,
    });
  }
}

/** The whole body, or null when it is longer; leaving the loop early closes the connection. */
async function readUpTo(body: Dispatcher.ResponseData['body'], bytesMax: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A list that does not go on would be asked for without end. */
function isOnward(listed: readonly { sequence: number }[], nextAfter: number | null, after: number): boolean {
  let before = after;
  for (const { sequence } of listed) {
    if (sequence <= before) return false;
    before = sequence;
  }
  return nextAfter === null || (listed.length > 0 && nextAfter === before);
}

function parseJson(octets: Buffer): unknown {
  try {
    return JSON.parse(octets.toString('utf8'));
  } catch {
    return null;
  }
}
