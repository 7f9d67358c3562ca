/** The body of a request as the octets that were signed, with a limit before and after decompression. */

import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { ACCEPT_ENCODING, type ContentEncoding, decompress, isContentEncoding } from '../protocol/content-encoding.ts';

/** Room for a body as it comes. */
export interface BodyRoom {
  /** Takes room for so many octets more; null, or why there is none, from which on the body has none at all. */
  take(octets: number): PopprobeError | null;
}

/**
 * Reads a request's body to its end, as it was sent.
 *
 * @throws PopprobeError `too_large` over the limit of `base/limits.ts`; `malformed` when the body is empty or cut short;
 * what `room` says when there is none.
 */
export async function receiveBody(body: AsyncIterable<Buffer>, room: BodyRoom): Promise<Buffer> {
  const received = await collect(body, room);
  if (received.length === 0) throw malformed('the octets of one document as body', 'an empty body');
  return received;
}

/**
 * Undoes the content encoding of a body.
 *
 * @param encoding the header `content-encoding`: absent, `identity`, `gzip`, or `zstd` where this runtime has it.
 * @throws PopprobeError `too_large` when more comes out than a document may have; `malformed` when the body is not what the
 * encoding says, or of another encoding.
 */
export async function decodeBody(received: Buffer, encoding: string | undefined): Promise<Uint8Array> {
  if (encoding === undefined || encoding === 'identity') return received;
  if (isContentEncoding(encoding)) return await expand(received, encoding);
  throw malformed(`content-encoding identity, ${ACCEPT_ENCODING}`, `content-encoding ${encoding}`);
}

async function collect(body: AsyncIterable<Buffer>, room: BodyRoom): Promise<Buffer> {
  let kept = new GrowingBuffer();
  let length = 0;
  let refusal: PopprobeError | null = null;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      refusal ??= length > LIMITS.summaryBodyBytesMax ? tooLarge('as sent', LIMITS.summaryBodyBytesMax) : null;
      refusal ??= room.take(chunk.length);
      if (refusal === null) kept.add(chunk);
      // Reading on lets the sender see the answer: closing early would reset the connection under its feet.
      else if (kept.length > 0) kept = new GrowingBuffer();
      if (length > LIMITS.refusedBodyDrainBytesMax) break;
    }
  } catch (cause) {
    throw malformed('a complete body', `the connection broken after ${length} octets`, cause);
  }
  if (refusal !== null) throw refusal;
  return kept.octets;
}

/** Chunks as they come, in one piece: as objects, those of a sender who sends one octet each would take 200 times as much. */
class GrowingBuffer {
  #memory = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A view: it is valid until more is added. */
  get octets(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  add(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#memory.length) {
      const memory = Buffer.allocUnsafe(Math.max(length, 2 * this.#memory.length));
      this.#memory.copy(memory, 0, 0, this.#length);
      this.#memory = memory;
    }
    chunk.copy(this.#memory, this.#length);
    this.#length = length;
  }
}

async function expand(received: Buffer, encoding: ContentEncoding): Promise<Uint8Array> {
  try {
    // zlib works in small steps and stops at the first one beyond the limit: a bomb costs no more memory than that.
    return await decompress(received, encoding, LIMITS.summaryBytesMax);
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge('decompressed', LIMITS.summaryBytesMax, cause);
    throw malformed(`a ${encoding} body`, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function tooLarge(form: string, limit: number, cause?: unknown): PopprobeError {
  return new PopprobeError('too_large', {
    expected: `at most ${limit} octets ${form}`,
    found: 'more',
    remedy: 'compress the body; if it is, the agent has more peers or paths than a document holds',
    cause,
  });
}

function malformed(expected: string, found: string, cause?: unknown): PopprobeError {
  const remedy = 'send the document as docs/protocol.md says';
  return new PopprobeError('malformed', { expected, found, remedy, cause });
}
