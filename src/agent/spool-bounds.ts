/** Says which documents go for the bounds of the spool: the oldest, and none that announces a key. */

import { LIMITS } from '../base/limits.ts';
import { OverAge } from './spool-age.ts';
import type { SpoolFolder } from './spool-folder.ts';
import type { WaitingFiles } from './waiting-files.ts';

const MS_PER_H = 3_600_000;

export interface KeepingLimits {
  /** Octets of documents kept for delivery; beyond it the oldest go first. */
  maxBytes: number;
  /** Hours that a document waits for delivery, by the wall clock; then it goes. */
  maxAgeH: number;
  /** Wall clock, ms since the Unix epoch. By default the process' own. */
  nowMs?: () => number;
  /** Monotonic clock, ms. By default the process' own. */
  monotonicMs?: () => number;
}

/** It reads the folder where it has to, and throws the file system's own errors. */
export class SpoolBounds {
  readonly #limits: KeepingLimits;
  readonly #files: WaitingFiles;
  readonly #folder: SpoolFolder;
  readonly #overAge: OverAge;
  readonly #nowMs: () => number;
  readonly #monotonicMs: () => number;
  /** Documents that announce a key: they stay, whatever the bounds are. */
  readonly #spared = new Set<number>();

  constructor(limits: KeepingLimits, files: WaitingFiles, folder: SpoolFolder) {
    this.#limits = limits;
    this.#files = files;
    this.#folder = folder;
    this.#overAge = new OverAge(limits.maxAgeH * MS_PER_H);
    this.#nowMs = limits.nowMs ?? Date.now;
    this.#monotonicMs = limits.monotonicMs ?? (() => performance.now());
  }

  /** The oldest documents, as many as stand in the way of so many octets more, and one step takes. */
  beyondSize(bytes: number): number[] {
    let excess = this.#files.index.bytes + bytes - this.#limits.maxBytes;
    return this.#oldestWhile((sequence) => {
      const isNeeded = excess > 0;
      if (isNeeded) excess -= this.#folder.bytesOf(sequence) ?? 0;
      return isNeeded;
    });
  }

  /** The oldest documents, as far as they have waited for too long, and one step takes them. */
  tooOld(): number[] {
    const nowMs = this.#nowMs();
    const ageMs = (sequence: number): number => nowMs - (this.#folder.writtenMs(sequence) ?? nowMs);
    const [oldest] = this.#goingFirst();
    if (!this.#overAge.isOver(oldest === undefined ? 0 : ageMs(oldest), this.#monotonicMs())) return [];
    return this.#oldestWhile((sequence) => this.#overAge.looksOver(ageMs(sequence)));
  }

  /** Keeps a document that announces a key from now on. False when there are too many: it goes like any other. */
  spare(sequence: number): boolean {
    if (this.#spared.size >= LIMITS.spoolAnnouncementsMax) this.#forgetDelivered();
    if (this.#spared.size >= LIMITS.spoolAnnouncementsMax) return false;
    this.#spared.add(sequence);
    return true;
  }

  #forgetDelivered(): void {
    for (const sequence of this.#spared) if (!this.#files.index.has(sequence)) this.#spared.delete(sequence);
  }

  #oldestWhile(holds: (sequence: number) => boolean): number[] {
    const sequences: number[] = [];
    for (const sequence of this.#goingFirst()) {
      if (sequences.length === LIMITS.spoolStepDocuments || !holds(sequence)) break;
      sequences.push(sequence);
    }
    return sequences;
  }

  *#goingFirst(): Generator<number> {
    for (const sequence of this.#files.oldest()) if (!this.#spared.has(sequence)) yield sequence;
  }
}
