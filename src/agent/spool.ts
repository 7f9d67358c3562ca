/** Store and forward: keeps every sealed document on disk until the collector has it. */

import { EventEmitter, once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import { digestOf } from '../protocol/digest.ts';
import { onDisk } from './disk-error.ts';
import { syncFolder, writeDurably } from './durable.ts';
import { Quarantine } from './quarantine.ts';
import { Serial } from './serial.ts';
import {
  documentFileBytes,
  documentName,
  encodeDocument,
  encodeHead,
  type Head,
  HEAD_FILE,
  type SealedDocument,
} from './spool-file.ts';
import { QUARANTINE_FOLDER, readDocument, type Recovered, recover, type SpooledFile } from './spool-recovery.ts';

export interface SpoolOptions {
  directory: string;
  /** Octets of documents kept for delivery; beyond it the oldest go first. */
  maxBytes: number;
}

export interface SpoolStatus {
  /** Documents waiting for delivery, and their octets on disk. */
  documents: number;
  bytes: number;
  /** Since the agent started: undelivered documents given up because the spool was full. */
  discarded: number;
  /** Since the agent started: files moved to the quarantine, torn or refused. */
  quarantined: number;
  /** Since the agent started: files deleted because the quarantine was full. */
  quarantineDiscarded: number;
}

/**
 * Opens the spool folder, creating it when it is not there, and sorts out what a crash left behind. `claim` hears of the
 * folder before anything in it is touched; what it throws, this throws.
 *
 * @throws PopprobeError `spool_unusable` when the folder cannot be created or read
 */
export async function openSpool(
  options: SpoolOptions,
  log: Logger,
  claim: (directory: string) => void = () => undefined,
): Promise<Spool> {
  const { directory } = options;
  return onDisk(`open ${directory}`, async () => {
    const created = await mkdir(directory, { recursive: true, mode: 0o700 });
    if (created !== undefined) await syncFolder(dirname(directory));
    claim(directory);
    const quarantine = await Quarantine.open(join(directory, QUARANTINE_FOLDER), log);
    return new Spool(options, await recover(directory, quarantine, log), quarantine, log);
  });
}

/** One per folder. Its changes run one at a time; a step that the disk refuses throws and can be tried again. */
export class Spool {
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #log: Logger;
  readonly #quarantine: Quarantine;
  readonly #serial = new Serial();
  readonly #events = new EventEmitter();
  /** The documents waiting, ascending: two numbers each, however long the collector is away. */
  readonly #files: SpooledFile[];
  #bytes: number;
  #discarded = 0;
  #head: Head | null;
  #headOnDisk: number | null;

  constructor(options: SpoolOptions, recovered: Recovered, quarantine: Quarantine, log: Logger) {
    this.#directory = options.directory;
    this.#maxBytes = options.maxBytes;
    this.#log = log;
    this.#quarantine = quarantine;
    this.#files = recovered.files;
    this.#bytes = recovered.files.reduce((sum, file) => sum + file.bytes, 0);
    this.#head = recovered.head;
    this.#headOnDisk = recovered.headOnDisk;
  }

  /** The last document ever appended, also when it was delivered long ago; null in a new folder. */
  get head(): Head | null {
    return this.#head;
  }

  status(): SpoolStatus {
    return {
      documents: this.#files.length,
      bytes: this.#bytes,
      discarded: this.#discarded,
      quarantined: this.#quarantine.taken,
      quarantineDiscarded: this.#quarantine.discarded,
    };
  }

  /** Settles when a document is waiting, or when `signal` says to stop waiting for one. */
  async nonEmpty(signal: AbortSignal): Promise<void> {
    if (this.#files.length === 0) await this.appended(signal);
  }

  /** Settles when the next document is appended, or when `signal` says to stop waiting for it. */
  async appended(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      await once(this.#events, 'appended', { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /**
   * Adds a document. Once this resolves, neither kill -9 nor power loss can take it away.
   *
   * @throws PopprobeError `spool_unusable` when the disk refuses: the head is then unchanged, nothing was added;
   *   `chain_conflict` when the sequence number does not rise
   */
  append(document: SealedDocument): Promise<void> {
    return this.#serial.run(() => this.#append(document));
  }

  /** The sequence numbers of the documents waiting. */
  get waiting(): { count: number; oldest: number | null; newest: number | null } {
    const { length } = this.#files;
    return { count: length, oldest: this.#files[0]?.sequence ?? null, newest: this.#files.at(-1)?.sequence ?? null };
  }

  /** The oldest document waiting, or null. @throws PopprobeError `spool_unusable` when the disk refuses */
  oldest(): Promise<SealedDocument | null> {
    return this.#readAt(0);
  }

  /** The newest document waiting, or null. @throws PopprobeError `spool_unusable` when the disk refuses */
  newest(): Promise<SealedDocument | null> {
    return this.#readAt(-1);
  }

  /** What has gone bad on the disk is moved out of the way. */
  #readAt(end: 0 | -1): Promise<SealedDocument | null> {
    return this.#serial.run(async () => {
      for (let file = this.#files.at(end); file !== undefined; file = this.#files.at(end)) {
        const { sequence } = file;
        const path = this.#path(sequence);
        const document = await onDisk(`read ${path}`, () => readDocument(path, sequence));
        if (typeof document !== 'string') return document;
        this.#log.error({ sequence, reason: document }, 'a spooled document went bad: moved to the quarantine');
        await this.#setAside(sequence, document);
      }
      return null;
    });
  }

  /** Lets go of a document that the collector has. @throws PopprobeError `spool_unusable` when the disk refuses */
  delivered(sequence: number): Promise<void> {
    return this.#serial.run(async () => {
      await this.#remove(sequence, 'delete', (path) => rm(path, { force: true }));
    });
  }

  /**
   * Moves a document that will never be accepted out of the queue, beside its reason in words.
   *
   * @throws PopprobeError `spool_unusable` when the disk refuses
   */
  quarantine(sequence: number, reason: string): Promise<void> {
    return this.#serial.run(() => this.#setAside(sequence, reason));
  }

  async #append(document: SealedDocument): Promise<void> {
    this.#mustFollowHead(document.sequence);
    const bytes = documentFileBytes(document);
    await this.#makeRoom(bytes);
    const name = documentName(document.sequence);
    await onDisk(`write ${name}`, () => writeDurably(this.#directory, name, encodeDocument(document)));
    this.#files.push({ sequence: document.sequence, bytes });
    this.#bytes += bytes;
    this.#head = { sequence: document.sequence, digest: digestOf(document.octets) };
    try {
      await this.#saveHead(this.#head);
    } catch (error) {
      // The document is safe and names the head itself; #remove will not let go of it before head.json is written.
      this.#log.warn({ err: error }, 'cannot write the head of the chain yet');
    }
    this.#events.emit('appended');
  }

  #mustFollowHead(sequence: number): void {
    const last = this.#head?.sequence ?? 0;
    if (Number.isSafeInteger(sequence) && sequence > last) return;
    throw new PopprobeError('chain_conflict', {
      expected: `a sequence number above ${last}`,
      found: String(sequence),
      remedy: 'seal documents in one place only',
    });
  }

  async #makeRoom(bytes: number): Promise<void> {
    if (bytes > this.#maxBytes) {
      throw new PopprobeError('spool_unusable', {
        expected: `a document that fits into a spool of ${this.#maxBytes} octets`,
        found: `one of ${bytes} octets`,
        remedy: 'let the spool hold more',
      });
    }
    while (this.#bytes + bytes > this.#maxBytes) {
      const oldest = this.#files[0];
      if (oldest === undefined) return;
      await this.#remove(oldest.sequence, 'delete', (path) => rm(path, { force: true }));
      this.#discarded += 1;
      this.#log.error({ sequence: oldest.sequence }, 'spool is full: the oldest document was given up undelivered');
    }
  }

  #setAside(sequence: number, reason: string): Promise<void> {
    return this.#remove(sequence, 'move', (path) => this.#quarantine.take(path, reason));
  }

  /** Takes a document off the list; one that was given up in the meantime is none of our business any more. */
  async #remove(sequence: number, doing: string, step: (path: string) => Promise<void>): Promise<void> {
    const index = this.#files.findIndex((file) => file.sequence === sequence);
    const file = this.#files[index];
    if (file === undefined) return;
    const head = this.#head;
    // Without either of the two, a restart would give the same number to another document.
    if (head?.sequence === sequence) await this.#saveHead(head);
    const path = this.#path(sequence);
    await onDisk(`${doing} ${path}`, () => step(path));
    this.#files.splice(index, 1);
    this.#bytes -= file.bytes;
  }

  async #saveHead(head: Head): Promise<void> {
    if (this.#headOnDisk === head.sequence) return;
    await onDisk(`write ${HEAD_FILE}`, () => writeDurably(this.#directory, HEAD_FILE, [encodeHead(head)]));
    this.#headOnDisk = head.sequence;
  }

  #path(sequence: number): string {
    return join(this.#directory, documentName(sequence));
  }
}
