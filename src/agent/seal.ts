/** The one place where a summary becomes evidence: numbered, chained, serialised once, signed, on disk. */

import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { type SigningKey, signingPrefix, signInput } from '../protocol/jws.ts';
import type { Summary } from '../protocol/summary.ts';
import type { FramedText } from './framed-text.ts';
import { Serial } from './serial.ts';
import type { Spool } from './spool.ts';
import type { SealedDocument } from './spool-file.ts';

/** All of a summary but its place in the chain, the traces that ended before it, and its peers. */
export type SummaryHead = Omit<Summary, 'sequence' | 'prev' | 'traces' | 'peers'>;

/**
 * A summary before it has its place in the chain. Its peers are JSON text already, the members of the array with commas
 * between them: a thousand paths are never all objects at once.
 */
export type SummaryBody = SummaryHead & { peers: FramedText };

/** A document's place in the chain. */
type Place = Pick<Summary, 'sequence' | 'prev'>;

export class Sealer {
  readonly #spool: Spool;
  readonly #key: SigningKey;
  readonly #nowUnixS: () => number;
  readonly #serial = new Serial();

  /** @param nowUnixS wall clock, seconds since the Unix epoch: where a new chain starts counting */
  constructor(spool: Spool, key: SigningKey, nowUnixS: () => number) {
    this.#spool = spool;
    this.#key = key;
    this.#nowUnixS = nowUnixS;
  }

  /**
   * Gives the summary the next place in the chain, signs its octets and puts them into the spool. Calls are served one
   * at a time, in order. When it throws, the place in the chain is still free and the next call takes it. The octets
   * returned are a view into the body's own memory.
   *
   * @param traces path traces as JSON text, for the document that this becomes
   * @throws PopprobeError `too_large` beyond the limit of a summary, `spool_unusable` when the disk refuses
   */
  seal(body: SummaryBody, traces: readonly string[] = []): Promise<SealedDocument> {
    return this.#serial.run(async () => {
      const place = this.#nextPlace();
      const prefix = signingPrefix(this.#key, 'summary');
      const input = serialise(body, traces, place, prefix);
      const octets = input.subarray(prefix.length);
      const document = { sequence: place.sequence, octets, signature: signInput(input, prefix, this.#key.privateKey) };
      await this.#spool.append(document);
      return document;
    });
  }

  /** A new chain starts at the current second, so that a reinstalled host never uses a number again. */
  #nextPlace(): Place {
    const head = this.#spool.head;
    if (head === null) return { sequence: Math.max(1, Math.floor(this.#nowUnixS())), prev: null };
    return { sequence: head.sequence + 1, prev: head.digest };
  }
}

/**
 * The JSON text as UTF-8 behind the prefix of its signing input: written once, where it is signed and stored from. What
 * names the document comes first. From here on only these octets count.
 */
function serialise(body: SummaryBody, traces: readonly string[], place: Place, prefix: string): Uint8Array {
  const { schema, pop, boot_id, peers, ...rest } = body;
  const frame = JSON.stringify({ schema, pop, boot_id, sequence: place.sequence, prev: place.prev, ...rest });
  const input = peers.between(`${prefix}${frame.slice(0, -1)},"traces":[${traces.join(',')}],"peers":[`, ']}');
  const bytes = input.length - prefix.length;
  if (bytes > LIMITS.summaryBytesMax) {
    throw new PopprobeError('too_large', {
      expected: `a summary of at most ${LIMITS.summaryBytesMax} octets`,
      found: `${bytes} octets`,
      remedy: 'split the mesh, or measure fewer paths per peer',
    });
  }
  return input;
}
