/** The documents of a spool as they are on disk: how one comes, and the ways in which it goes. */

import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import type { Gap, GapMemory, GapReason } from './gap-memory.ts';
import { rangesOf } from './number-ranges.ts';
import type { Quarantine } from './quarantine.ts';
import { type KeepingLimits, SpoolBounds } from './spool-bounds.ts';
import {
  documentFileBytes,
  documentName,
  encodeHead,
  type Head,
  headOf,
  HEAD_FILE,
  type SealedDocument,
} from './spool-file.ts';
import type { SpoolFolder } from './spool-folder.ts';
import { SpoolHealth } from './spool-health.ts';
import type { SpoolIndex } from './spool-index.ts';
import { GONE, type Recovered } from './spool-recovery.ts';
import type { SpoolStatus } from './spool-status.ts';
import type { SpooledEvent } from './spooled-event.ts';
import { WaitingFiles } from './waiting-files.ts';

export interface KeepingParts {
  folder: SpoolFolder;
  quarantine: Quarantine;
  gaps: GapMemory;
  log: Logger;
}

/** Its steps must not overlap. Each throws PopprobeError `spool_unusable` when the disk refuses, and can be tried again. */
export class KeptDocuments {
  readonly health: SpoolHealth;
  readonly quarantine: Quarantine;
  readonly folder: SpoolFolder;
  readonly #maxBytes: number;
  readonly #gaps: GapMemory;
  readonly #log: Logger;
  readonly #files: WaitingFiles;
  readonly #bounds: SpoolBounds;
  #head: Head | null;
  #headOnDisk: number | null;
  readonly #counts = { discarded: 0, tooOld: 0, lost: 0 };

  constructor(
    limits: KeepingLimits,
    { folder, quarantine, gaps, log }: KeepingParts,
    { index, head, headOnDisk }: Pick<Recovered, 'index' | 'head' | 'headOnDisk'>,
  ) {
    this.folder = folder;
    this.quarantine = quarantine;
    this.#maxBytes = limits.maxBytes;
    this.#gaps = gaps;
    this.#log = log;
    this.health = new SpoolHealth(log, limits.nowMs ?? Date.now);
    this.#files = new WaitingFiles(index, { folder, health: this.health, log });
    this.#bounds = new SpoolBounds(limits, this.#files, folder);
    this.#head = head;
    this.#headOnDisk = headOnDisk;
  }

  /** The documents waiting. */
  get index(): SpoolIndex {
    return this.#files.index;
  }

  /** The last document ever added. */
  get head(): Head | null {
    return this.#head;
  }

  status(): Omit<SpoolStatus, 'dropped'> {
    const { count, bytes, unlisted } = this.index;
    return {
      documents: count,
      bytes,
      unlisted: unlisted?.count ?? 0,
      ...this.#counts,
      quarantined: this.quarantine.taken,
      quarantineDiscarded: this.quarantine.discarded,
      undeleted: this.#files.undeleted,
      gapsPending: this.#gaps.pending,
      gapsUndeclared: this.#gaps.undeclared,
      degraded: this.health.degraded,
    };
  }

  /** Whether the document waits. */
  has(sequence: number): Promise<boolean> {
    return this.#files.has(sequence);
  }

  /** Octets of a document's file; 0 when it is gone or the disk does not say. */
  bytesOf(sequence: number): number {
    return this.#files.bytesOf(sequence) ?? 0;
  }

  /** Writes a document to the disk, for which the oldest may have to go. Throws `chain_conflict` when its number does not rise. */
  async add(document: SealedDocument): Promise<void> {
    const { sequence } = document;
    const bytes = documentFileBytes(document);
    this.#mustFollowHead(sequence);
    this.#mustFit(bytes);
    await this.#makeSureOfFolder();
    await this.#tolerate(() => this.#catchUp());
    await this.#tolerate(() => this.#giveUpOld());
    await this.#makeRoom(bytes);
    await this.health.watch('add', `write ${documentName(sequence)}`, () => this.folder.write(document));
    this.#files.add({ sequence, bytes });
    this.#head = headOf(document);
    // The document is safe and names the head itself; its file does not go before head.json is written.
    await this.#tolerate(() => this.#saveHead());
    await this.#tolerate(() => this.#takeBackGap(sequence));
    await this.folder.control.keepReserve();
  }

  /** A document that waits, or null: it has gone bad, and is out of the way. */
  async read(sequence: number): Promise<SealedDocument | null> {
    const path = this.folder.path(sequence);
    const document = await this.health.watch('read', `read ${path}`, () => this.folder.read(sequence));
    if (typeof document !== 'string') return document;
    if (document === GONE) {
      await this.#noteGone(sequence);
      return null;
    }
    await this.setAside(sequence, 'damaged', document);
    this.#log.error({ sequence, reason: document }, 'a spooled document went bad: moved to the quarantine');
    return null;
  }

  /** Puts back a document whose file is in the folder again. */
  async putBack(document: SealedDocument): Promise<void> {
    this.#files.add({ sequence: document.sequence, bytes: documentFileBytes(document) });
    await this.#takeBackGap(document.sequence);
  }

  /** Never throws for the disk. */
  async delivered(sequence: number): Promise<void> {
    if (!this.#files.remove(sequence, this.#files.bytesOf(sequence))) return;
    this.#files.leave(sequence);
    await this.#tolerate(() => this.#takeBackGap(sequence));
    await this.#tolerate(() => this.#catchUp());
  }

  /** Moves a document that waits into the quarantine, beside the reason in words. Never throws for the disk. */
  async setAside(sequence: number, reason: GapReason, words: string): Promise<void> {
    await this.#lose([sequence], reason, async () => {
      const path = this.folder.path(sequence);
      if (this.folder.writtenMs(sequence) === null) this.#counts.lost += 1;
      else await this.quarantine.take(path, words);
    });
  }

  /** Takes documents that wait out of the queue, each by `step`. `events` is what they say, if that is known. */
  async giveUp(
    sequences: readonly number[],
    reason: GapReason,
    step: (sequence: number) => Promise<void>,
    events?: ReadonlyMap<number, SpooledEvent>,
  ): Promise<void> {
    // Without its file and without head.json, a restart would give the number of the newest to another document.
    if (sequences.some((sequence) => sequence === this.#head?.sequence)) await this.#saveHead();
    const said = events ?? (await this.#eventsOf(sequences));
    await this.declare(reason, sequences, gapsAmong(sequences, said));
    for (const sequence of sequences) {
      await this.health.watch('remove', `let go of ${this.folder.path(sequence)}`, async () => {
        const bytes = this.folder.bytesOf(sequence);
        await step(sequence);
        this.#files.remove(sequence, bytes);
      });
    }
    await this.folder.control.keepReserve();
    await this.#tolerate(() => this.#readOn());
  }

  /** Remembers that documents are given up: to be done before they go. */
  async declare(reason: GapReason, sequences: readonly number[], others: readonly Gap[] = []): Promise<void> {
    if (sequences.length === 0) return;
    const declared = [{ reason, ranges: rangesOf(sequences) }, ...others];
    await this.#remember('remember a gap', () => this.#gaps.declare(declared));
  }

  pendingGaps(): Gap[] {
    return this.#gaps.events(this.index);
  }

  gapsSealed(gaps: readonly Gap[]): Promise<void> {
    return this.#remember('forget gaps', () => this.#gaps.sealed(gaps));
  }

  /**
   * Takes documents out of the queue that cannot be delivered, whatever the disk says to it: they must not hold up the ones
   * behind them. Files that it does not let go are found again after a restart.
   */
  async #lose(
    sequences: readonly number[],
    reason: GapReason,
    step: (sequence: number) => Promise<void>,
  ): Promise<void> {
    await this.#tolerate(() => this.giveUp(sequences, reason, step));
    const left = sequences.filter((sequence) => this.#files.remove(sequence, this.#files.bytesOf(sequence)));
    this.#gaps.note({ reason, ranges: rangesOf(left) });
  }

  /** What records among these documents say: nobody else will say it once they are gone. */
  async #eventsOf(sequences: readonly number[]): Promise<Map<number, SpooledEvent>> {
    const events = new Map<number, SpooledEvent>();
    for (const sequence of sequences) {
      await this.#tolerate(async () => {
        const event = await this.health.watch('read', 'read a record', () => this.folder.eventOf(sequence));
        if (event !== null) events.set(sequence, event);
      });
    }
    return events;
  }

  /** A document that was given up is there after all. */
  async #takeBackGap(sequence: number): Promise<void> {
    if (this.#gaps.has(sequence)) await this.#remember('forget a gap', () => this.#gaps.forget(sequence));
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

  #mustFit(bytes: number): void {
    if (bytes <= this.#maxBytes) return;
    throw new PopprobeError('spool_unusable', {
      expected: `a document that fits into a spool of ${this.#maxBytes} octets`,
      found: `one of ${bytes} octets`,
      remedy: 'let the spool hold more',
    });
  }

  async #makeRoom(bytes: number): Promise<void> {
    for (;;) {
      // The oldest may be one of those that are not listed yet.
      await this.#readOn();
      const oldest = await this.#look(() => this.#bounds.beyondSize(bytes));
      if (oldest.length === 0) return;
      const message = 'spool is full: the oldest documents were given up undelivered';
      this.#counts.discarded += await this.#discard(oldest, 'spool_full', message);
    }
  }

  async #giveUpOld(): Promise<void> {
    const old = await this.#look(() => this.#bounds.tooOld());
    const message = 'the oldest documents have waited for too long: they were given up undelivered';
    this.#counts.tooOld += await this.#discard(old, 'too_old', message);
  }

  /** Returns how many went: one that announces a key stays, or the next key would be a stranger's to a verifier. */
  async #discard(sequences: readonly number[], reason: GapReason, message: string): Promise<number> {
    const events = await this.#eventsOf(sequences);
    const going = sequences.filter((sequence) => {
      const isAnnouncement = events.get(sequence)?.kind === 'key';
      return !(isAnnouncement && this.#bounds.spare(sequence));
    });
    if (going.length === 0) return 0;
    await this.giveUp(going, reason, (sequence) => this.folder.remove(sequence), events);
    const [sequence] = going;
    this.#log.error({ sequence, last: going.at(-1), documents: going.length }, message);
    return going.length;
  }

  /** Where one file is gone, its neighbours mostly are. */
  async #noteGone(sequence: number): Promise<void> {
    await this.#makeSureOfFolder();
    const gone = await this.#look(() => this.#files.goneFrom(sequence));
    if (gone.length === 0) return;
    await this.#lose(gone, 'damaged', () => Promise.resolve());
    this.#counts.lost += gone.length;
    this.#log.error({ sequence, last: gone.at(-1), documents: gone.length }, 'the files of waiting documents are gone');
  }

  /** A folder that was deleted is made again. The chain goes on from memory. */
  async #makeSureOfFolder(): Promise<void> {
    const { directory } = this.folder;
    if (await this.health.watch('find', `look at ${directory}`, () => this.folder.isTheSame())) return;
    await this.health.watch('find', `make ${directory}`, async () => {
      await this.folder.make();
      await this.quarantine.reopen();
    });
    const { count, ranges } = this.#files.forget();
    this.#headOnDisk = null;
    this.#gaps.note({ reason: 'damaged', ranges });
    this.#counts.lost += count;
    this.#log.error({ directory, documents: count }, 'the spool folder was deleted with its documents: made anew');
    await this.#saveHead();
    await this.#remember('remember gaps', () => this.#gaps.write());
  }

  /** What the disk has refused before. */
  async #catchUp(): Promise<void> {
    // Deleting comes first: it may make the room for the rest.
    await this.#tolerate(() => this.#deleteLeftovers());
    await this.folder.control.keepReserve();
    if (this.#gaps.isBehind) await this.#remember('remember gaps', () => this.#gaps.write());
    await this.#tolerate(() => this.#readOn());
  }

  /** Lists documents for which memory had no room. Nobody knows the numbers of those that are gone by now. */
  async #readOn(): Promise<void> {
    if (!this.index.wantsMore) return;
    await this.#makeSureOfFolder();
    const gone = await this.#files.readOn();
    if (gone === 0) return;
    this.#counts.lost += gone;
    this.#log.error({ documents: gone }, 'the files of waiting documents are gone');
  }

  async #deleteLeftovers(): Promise<void> {
    for (let sequence = this.#files.leftover; sequence !== null; sequence = this.#files.leftover) {
      if (sequence === this.#head?.sequence) await this.#saveHead();
      const path = this.folder.path(sequence);
      await this.health.watch('remove', `delete ${path}`, () => this.folder.remove(sequence));
      this.#files.forgetLeftover(sequence);
    }
  }

  async #saveHead(): Promise<void> {
    const head = this.#head;
    if (head === null || this.#headOnDisk === head.sequence) return;
    await this.#remember(`write ${HEAD_FILE}`, () => this.folder.control.write(HEAD_FILE, encodeHead(head)));
    this.#headOnDisk = head.sequence;
  }

  #look<T>(step: () => T): Promise<T> {
    return this.health.watch('find', `look into ${this.folder.directory}`, step);
  }

  #remember(doing: string, step: () => Promise<void>): Promise<void> {
    return this.health.watch('remember', doing, step);
  }

  /** For what can be done later: `health` knows that the disk refuses, has said so, and `status()` goes on telling. */
  async #tolerate(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof PopprobeError && error.code === 'spool_unusable')) throw error;
    }
  }
}

function gapsAmong(sequences: readonly number[], events: ReadonlyMap<number, SpooledEvent>): Gap[] {
  const said = sequences.map((sequence) => events.get(sequence));
  return said.filter((event): event is Gap => event?.kind === 'gap');
}
