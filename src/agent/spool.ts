/** Store and forward: keeps every sealed document on disk until the collector has it. */

import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type RetryOutcome, SpoolByHand } from './spool-by-hand.ts';
import { onDisk } from './disk-error.ts';
import { refuseForeignFolder } from './foreign-folder.ts';
import { type Gap, GapMemory } from './gap-memory.ts';
import { KeptDocuments } from './kept-documents.ts';
import { Quarantine } from './quarantine.ts';
import { Serial } from './serial.ts';
import type { KeepingLimits } from './spool-bounds.ts';
import type { Head, SealedDocument } from './spool-file.ts';
import { type Claim, SpoolFolder } from './spool-folder.ts';
import { QUARANTINE_FOLDER, recover } from './spool-recovery.ts';
import type { SpoolStatus } from './spool-status.ts';
import { setStrangersAside } from './strangers.ts';

export interface SpoolOptions extends KeepingLimits {
  directory: string;
}

/**
 * Opens the spool folder, creating it when it is not there, and sorts out what a crash left behind. `claim` hears of the
 * folder before anything in it is touched, and again when it was deleted and is made anew; what it throws, this throws.
 *
 * @throws PopprobeError `spool_unusable` when the folder cannot be created or read, or is somebody else's
 */
export async function openSpool(options: SpoolOptions, log: Logger, claim: Claim = () => undefined): Promise<Spool> {
  const { directory } = options;
  return onDisk(`open ${directory}`, async () => {
    const folder = new SpoolFolder(directory, claim);
    await folder.make();
    await refuseForeignFolder(directory);
    const quarantine = await Quarantine.open(join(directory, QUARANTINE_FOLDER), log);
    const { strangers, gaps: remembered, ...recovered } = await recover(directory, log);
    const gaps = new GapMemory(folder.control, remembered);
    await setStrangersAside(strangers, { directory, quarantine, gaps, head: recovered.head, log });
    await folder.control.keepReserve();
    return new Spool(new KeptDocuments(options, { folder, quarantine, gaps, log }, recovered));
  });
}

/** One per folder. Its changes run one at a time; a step that the disk refuses can be tried again. */
export class Spool {
  readonly #kept: KeptDocuments;
  readonly #byHand: SpoolByHand;
  readonly #serial = new Serial();
  readonly #events = new EventEmitter();

  constructor(kept: KeptDocuments) {
    this.#kept = kept;
    this.#byHand = new SpoolByHand(kept);
  }

  /** The last document ever appended, also when it was delivered long ago; null in a new folder. */
  get head(): Head | null {
    return this.#kept.head;
  }

  status(): SpoolStatus {
    return { ...this.#kept.status(), dropped: this.#byHand.dropped };
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
    return this.#serial.run(async () => {
      await this.#kept.add(document);
      this.#events.emit('appended');
    });
  }

  /** How many documents wait, and the numbers of the oldest and the newest that memory lists. */
  get waiting(): { count: number; oldest: number | null; newest: number | null } {
    const { count, oldest, newest } = this.#kept.index;
    return { count, oldest, newest };
  }

  /** The number of the first document listed that waits behind this one, or null. */
  after(sequence: number): number | null {
    return this.#kept.index.next(sequence + 1);
  }

  /** Octets of a document's file; 0 when it is gone or the disk does not say: `read` does then. */
  bytesOf(sequence: number): number {
    return this.#kept.bytesOf(sequence);
  }

  /**
   * Reads a document that waits. Null when it does not any more, or has gone bad on the disk: then it is out of the way.
   *
   * @throws PopprobeError `spool_unusable` when the disk refuses
   */
  read(sequence: number): Promise<SealedDocument | null> {
    return this.#serial.run(async () => ((await this.#kept.has(sequence)) ? await this.#kept.read(sequence) : null));
  }

  /**
   * Lets go of a document that the collector has. It is not sent again while this process lives, even when the disk does
   * not delete it; that is tried again with each document that comes or goes.
   */
  delivered(sequence: number): Promise<void> {
    return this.#serial.run(() => this.#kept.delivered(sequence));
  }

  /**
   * Moves a document that will never be accepted out of the queue, beside its reason in words.
   *
   * @throws PopprobeError `spool_unusable` when the disk refuses
   */
  quarantine(sequence: number, reason: string): Promise<void> {
    return this.#serial.run(async () => {
      if (await this.#kept.has(sequence)) await this.#kept.setAside(sequence, 'refused', reason);
    });
  }

  /** What records have to declare of the documents given up. When they are very many, some of it: ask again after it is sealed. */
  pendingGaps(): readonly Gap[] {
    return this.#kept.pendingGaps();
  }

  /**
   * Records that say this are on disk. After a crash before it they are sealed again, which harms nobody.
   *
   * @throws PopprobeError `spool_unusable` when the disk refuses
   */
  gapsSealed(gaps: readonly Gap[]): Promise<void> {
    return this.#serial.run(() => this.#kept.gapsSealed(gaps));
  }

  /**
   * Puts a document of the quarantine back into the queue, if it is whole.
   *
   * @throws PopprobeError `spool_unusable` when the disk refuses
   */
  retry(sequence: number): Promise<RetryOutcome> {
    return this.#serial.run(async () => {
      const outcome = await this.#byHand.retry(sequence);
      if (outcome === 'retried') this.#events.emit('appended');
      return outcome;
    });
  }

  /**
   * Deletes documents, whether they wait or are in the quarantine, and returns the numbers of those that were there.
   *
   * @throws PopprobeError `spool_unusable` when the disk refuses
   */
  drop(sequences: readonly number[]): Promise<number[]> {
    return this.#serial.run(() => this.#byHand.drop(sequences));
  }
}
