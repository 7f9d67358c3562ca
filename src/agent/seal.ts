/** The one place where a summary becomes evidence: numbered, chained, serialised once, signed, on disk. */

import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { type SigningKey, signDetached } from '../protocol/jws.ts';
import type { Summary } from '../protocol/summary.ts';
import { Serial } from './serial.ts';
import type { Spool } from './spool.ts';
import type { SealedDocument } from './spool-file.ts';

/**
 * A summary before it has its place in the chain. Its peers are JSON text already, one by one: a thousand paths are never
 * all objects at once, nor do they wait as objects for a disk that refuses.
 */
export type SummaryBody = Omit<Summary, 'sequence' | 'prev' | 'peers'> & { peers: readonly string[] };

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
   * at a time, in order. When it throws, the place in the chain is still free and the next call takes it.
   *
   * @throws PopprobeError `too_large` beyond the limit of a summary, `spool_unusable` when the disk refuses
   */
  seal(body: SummaryBody): Promise<SealedDocument> {
    return this.#serial.run(async () => {
      const { sequence, prev } = this.#nextPlace();
      const octets = serialise(body, sequence, prev);
      const document = { sequence, octets, signature: await signDetached(octets, this.#key) };
      await this.#spool.append(document);
      return document;
    });
  }

  /** A new chain starts at the current second, so that a reinstalled host never uses a number again. */
  #nextPlace(): { sequence: number; prev: string | null } {
    const head = this.#spool.head;
    if (head === null) return { sequence: Math.max(1, Math.floor(this.#nowUnixS())), prev: null };
    return { sequence: head.sequence + 1, prev: head.digest };
  }
}

/** The JSON text as UTF-8, what names the document first. From here on only these octets count. */
function serialise(body: SummaryBody, sequence: number, prev: string | null): Uint8Array {
  const { schema, pop, boot_id, peers, ...rest } = body;
  const frame = JSON.stringify({ schema, pop, boot_id, sequence, prev, ...rest, peers: [] });
  // `peers` is the last member, so the frame ends in `[]}`.
  const octets = Buffer.from(`${frame.slice(0, -2)}${peers.join(',')}]}`);
  if (octets.length > LIMITS.summaryBytesMax) {
    throw new PopprobeError('too_large', {
      expected: `a summary of at most ${LIMITS.summaryBytesMax} octets`,
      found: `${octets.length} octets`,
      remedy: 'split the mesh, or measure fewer paths per peer',
    });
  }
  return octets;
}
