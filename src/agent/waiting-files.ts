/** The documents that wait: what memory lists of them, and what the folder says of the others. */

import type { Logger } from 'pino';
import { LIMITS } from '../base/limits.ts';
import { errnoOf } from './disk-error.ts';
import { type NumberRange, rangesOf } from './number-ranges.ts';
import type { SpoolFolder } from './spool-folder.ts';
import type { SpoolHealth } from './spool-health.ts';
import { type SpooledFile, SpoolIndex } from './spool-index.ts';
import { documentsWithin } from './spool-recovery.ts';

interface WaitingParts {
  folder: SpoolFolder;
  health: SpoolHealth;
  log: Logger;
}

/** What throws PopprobeError `spool_unusable` here does so when the disk refuses. */
export class WaitingFiles {
  readonly #parts: WaitingParts;
  #index: SpoolIndex;
  /** Documents that the collector has, and whose files the disk has not let go. */
  #leftovers = new SpoolIndex();
  #isTold = false;

  constructor(index: SpoolIndex, parts: WaitingParts) {
    this.#index = index;
    this.#parts = parts;
    this.#tell();
  }

  get index(): SpoolIndex {
    return this.#index;
  }

  /** How many documents have been delivered and not deleted. */
  get undeleted(): number {
    return this.#leftovers.count;
  }

  /** The oldest of these that is known by its number, or null. */
  get leftover(): number | null {
    return this.#leftovers.oldest;
  }

  /** The numbers that wait, the oldest first: from `from` on, and as far as memory lists them all. */
  *oldest(from = 0): Generator<number> {
    const end = this.#index.unlisted?.first ?? Number.POSITIVE_INFINITY;
    for (const sequence of this.#index.from(from)) {
      if (from < end && end < sequence) return;
      yield sequence;
    }
  }

  /** Whether the document waits. Throws `spool_unusable`. */
  async has(sequence: number): Promise<boolean> {
    if (this.#index.has(sequence)) return true;
    if (!this.#index.leavesOut(sequence) || this.#leftovers.has(sequence)) return false;
    const { folder, health } = this.#parts;
    return health.watch('find', `look at ${folder.path(sequence)}`, () => folder.bytesOf(sequence) !== null);
  }

  /** Octets of its file; null when it is gone or the disk does not say: what is done to it next will show that. */
  bytesOf(sequence: number): number | null {
    try {
      return this.#parts.folder.bytesOf(sequence);
    } catch (error) {
      if (errnoOf(error) === null) throw error;
      return null;
    }
  }

  /** This document and those behind it, as far as their files are gone, and one step takes them. Throws the file system's own error. */
  goneFrom(from: number): number[] {
    const gone: number[] = [];
    for (const sequence of this.oldest(from)) {
      if (gone.length === LIMITS.spoolStepDocuments || this.#parts.folder.bytesOf(sequence) !== null) break;
      gone.push(sequence);
    }
    return gone;
  }

  add(file: SpooledFile): void {
    this.#index.add(file);
    this.#tell();
  }

  /** As `SpoolIndex.remove`. */
  remove(sequence: number, bytes: number | null): boolean {
    return this.#index.remove(sequence, bytes);
  }

  /** A document that waited has been delivered. Of very many that cannot be deleted some are counted only. */
  leave(sequence: number): void {
    this.#leftovers.add({ sequence, bytes: 0 });
  }

  /** The file of a delivered document is deleted. */
  forgetLeftover(sequence: number): void {
    this.#leftovers.remove(sequence, 0);
  }

  /** Lists what memory had no room for, once there is some. Returns how many of these are gone. Throws `spool_unusable`. */
  async readOn(): Promise<number> {
    const { folder, health } = this.#parts;
    const { unlisted, wantsMore } = this.#index;
    if (unlisted === null || !wantsMore) return 0;
    const stretch: NumberRange = [unlisted.first, unlisted.last];
    const found = await health.watch('find', `read ${folder.directory}`, () =>
      documentsWithin(folder.directory, stretch, (sequence) => !this.#leftovers.has(sequence)),
    );
    const gone = this.#index.list(found);
    this.#tell();
    return Math.max(0, gone);
  }

  /** The folder is another one. Returns how many waited in it, and the numbers of those that were listed. */
  forget(): { count: number; ranges: NumberRange[] } {
    const { count } = this.#index;
    const ranges = rangesOf(this.#index.from(0));
    this.#index = new SpoolIndex();
    this.#leftovers = new SpoolIndex();
    return { count, ranges };
  }

  /** Once when documents are left out, and once when all are listed again. */
  #tell(): void {
    const { unlisted } = this.#index;
    if ((unlisted !== null) === this.#isTold) return;
    this.#isTold = unlisted !== null;
    const { log } = this.#parts;
    if (unlisted === null) log.info('all waiting documents are listed in memory again');
    else {
      const { first, last, count } = unlisted;
      log.warn(
        { first, last, documents: count },
        'the numbers of the waiting documents are too far apart: some wait unlisted',
      );
    }
  }
}
