/** The one place where a summary or an event becomes evidence: numbered, chained, serialised once, signed, on disk. */

import { createPublicKey, type KeyObject } from 'node:crypto';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { MS_PER_S } from '../base/units.ts';
import type { DocumentKind } from '../protocol/document-kind.ts';
import { type SigningKey, signingPrefix, signInput } from '../protocol/jws.ts';
import type { ChainRecord, RecordEvent } from '../protocol/record.ts';
import type { Summary } from '../protocol/summary.ts';
import type { FramedText } from './framed-text.ts';
import { Serial } from './serial.ts';
import { type ConfiguredKeys, type SigningPlan, signingPlan } from './signing-plan.ts';
import type { Spool } from './spool.ts';
import type { SealedDocument } from './spool-file.ts';

/** All of a summary but its place in the chain and its peers. */
export type SummaryHead = Omit<Summary, 'sequence' | 'prev' | 'peers'>;

/**
 * A summary before it has its place in the chain. Its peers are JSON text already, the members of the array with commas
 * between them: a thousand paths are never all objects at once.
 */
export type SummaryBody = SummaryHead & { peers: FramedText };

/** What is the same in every record of one run. */
export type RecordHead = Pick<ChainRecord, 'pop' | 'boot_id' | 'software'>;

/** A document's place in the chain. */
type Place = Pick<Summary, 'sequence' | 'prev'>;

/** Which key signs, and which one is to follow it, by their kids. */
export interface SigningStatus {
  kid: string;
  /** One that is not announced yet; null when no change is due. */
  successor: string | null;
}

export class Sealer {
  readonly #spool: Spool;
  #key: SigningKey;
  #successor: SigningKey | null = null;
  readonly #nowUnixS: () => number;
  readonly #recordHead: RecordHead;
  readonly #serial = new Serial();

  /**
   * @param key signs until `use` says otherwise
   * @param nowUnixS wall clock, seconds since the Unix epoch: where a new chain starts counting
   */
  constructor(spool: Spool, key: SigningKey, nowUnixS: () => number, recordHead: RecordHead) {
    this.#spool = spool;
    this.#key = key;
    this.#nowUnixS = nowUnixS;
    this.#recordHead = recordHead;
  }

  get signing(): SigningStatus {
    return { kid: this.#key.kid, successor: this.#successor?.kid ?? null };
  }

  /** @throws PopprobeError `key_unannounced` when none of the keys signs this chain */
  check(keys: ConfiguredKeys): void {
    this.#planOf(keys);
  }

  /**
   * Goes on with these keys. A successor that is not in use yet is announced by the next document.
   *
   * @throws PopprobeError `key_unannounced` as `check`: nothing has changed then
   */
  use(keys: ConfiguredKeys): Promise<void> {
    return this.#serial.run(() => {
      ({ key: this.#key, successor: this.#successor } = this.#planOf(keys));
      return Promise.resolve();
    });
  }

  /**
   * Announces the successor now, when there is one.
   *
   * @throws PopprobeError `spool_unusable` when the disk refuses: the next document announces it then
   */
  announce(): Promise<void> {
    return this.#serial.run(() => this.#announce());
  }

  /**
   * Gives the summary the next place in the chain, signs its octets and puts them into the spool. Calls, those of
   * `sealRecord` among them, are served one at a time, in order. When one throws, the place in the chain is still free
   * and the next call takes it. The octets returned are a view into the body's own memory.
   *
   * @throws PopprobeError `too_large` beyond the limit of a summary, `spool_unusable` when the disk refuses
   */
  seal(body: SummaryBody): Promise<SealedDocument> {
    return this.#add('summary', (place, prefix) => serialiseSummary(body, place, prefix));
  }

  /**
   * The same for a record of one event.
   *
   * @param atUnixMs when it happened, whole ms since the Unix epoch by CLOCK_REALTIME
   * @throws PopprobeError `too_large` beyond the limit of a record, `spool_unusable` when the disk refuses
   */
  sealRecord(event: RecordEvent, atUnixMs: number): Promise<SealedDocument> {
    return this.#add('record', (place, prefix) => this.#serialiseRecord(event, atUnixMs, place, prefix));
  }

  /** `write` gives the signing input: the prefix, and behind it the document's octets. */
  #add(kind: DocumentKind, write: (place: Place, prefix: string) => Uint8Array): Promise<SealedDocument> {
    return this.#serial.run(async () => {
      await this.#announce();
      return await this.#append(kind, write);
    });
  }

  async #append(kind: DocumentKind, write: (place: Place, prefix: string) => Uint8Array): Promise<SealedDocument> {
    const place = this.#nextPlace();
    const prefix = signingPrefix(this.#key, kind);
    const input = write(place, prefix);
    const octets = input.subarray(prefix.length);
    mustFit(kind, octets.length);
    const document = { sequence: place.sequence, octets, signature: signInput(input, prefix, this.#key.privateKey) };
    await this.#spool.append(document);
    return document;
  }

  /** The successor signs only once its announcement is on disk, which remembers for every later life of the agent who signs. */
  async #announce(): Promise<void> {
    const successor = this.#successor;
    if (successor === null) return;
    const event = { kind: 'key', kid: successor.kid, x: publicPart(successor.privateKey) } as const;
    const nowMs = Math.floor(this.#nowUnixS() * MS_PER_S);
    await this.#append('record', (place, prefix) => this.#serialiseRecord(event, nowMs, place, prefix));
    this.#key = successor;
    this.#successor = null;
  }

  #planOf(keys: ConfiguredKeys): SigningPlan {
    return signingPlan(this.#spool.head?.nextKid ?? null, keys);
  }

  #serialiseRecord(event: RecordEvent, atUnixMs: number, place: Place, prefix: string): Uint8Array {
    const { pop, boot_id, software } = this.#recordHead;
    const at = { at: new Date(atUnixMs).toISOString(), at_unix_ms: atUnixMs };
    const record: ChainRecord = { schema: 'popprobe.record/1', pop, boot_id, ...place, ...at, software, event };
    return Buffer.from(`${prefix}${JSON.stringify(record)}`);
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
function serialiseSummary(body: SummaryBody, place: Place, prefix: string): Uint8Array {
  const { schema, pop, boot_id, peers, ...rest } = body;
  const frame = JSON.stringify({ schema, pop, boot_id, sequence: place.sequence, prev: place.prev, ...rest });
  return peers.between(`${prefix}${frame.slice(0, -1)},"peers":[`, ']}');
}

/** RFC 8037 section 2: the public key, base64url. */
function publicPart(privateKey: KeyObject): string {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (x === undefined) throw new TypeError('an Ed25519 key expected');
  return x;
}

function mustFit(kind: DocumentKind, bytes: number): void {
  const bytesMax = kind === 'summary' ? LIMITS.summaryBytesMax : LIMITS.recordBytesMax;
  if (bytes <= bytesMax) return;
  throw new PopprobeError('too_large', {
    expected: `a ${kind} of at most ${bytesMax} octets`,
    found: `${bytes} octets`,
    remedy: kind === 'summary' ? 'split the mesh, or measure fewer paths per peer' : 'report this as a bug of popprobe',
  });
}
