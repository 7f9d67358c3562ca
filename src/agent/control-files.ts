/** The small files in which the spool remembers what no document says: written durably, also on a disk that is full. */

import { randomFillSync } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from '../base/limits.ts';
import { errnoOf } from './disk-error.ts';
import { writeDurably } from './durable.ts';

export const RESERVE_FILE = 'reserve';

/** No room on the file system, or none left of the user's quota. */
const FULL: ReadonlySet<string | null> = new Set(['ENOSPC', 'EDQUOT']);

export class ControlFiles {
  readonly #directory: string;
  #hasReserve = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Replaces a file. On a full disk the reserve is given up for it: what was delivered must not be sent again for ever, and
   * a person who frees room by dropping documents must be able to.
   *
   * @throws the file system's own error; the file is then the old one, or already the new one
   */
  async write(name: string, content: Uint8Array): Promise<void> {
    try {
      await writeDurably(this.#directory, name, [content]);
    } catch (error) {
      if (!this.#hasReserve || !FULL.has(errnoOf(error))) throw error;
      await rm(join(this.#directory, RESERVE_FILE), { force: true });
      this.#hasReserve = false;
      await writeDurably(this.#directory, name, [content]);
    }
  }

  /** Sets the reserve aside where it is not yet. A disk without room for it has no room for documents either: they tell. */
  async keepReserve(): Promise<void> {
    if (this.#hasReserve) return;
    try {
      if (!(await this.#isThere())) {
        // Not zeros: a file system that compresses or finds holes would set nothing aside.
        await writeDurably(this.#directory, RESERVE_FILE, [randomFillSync(new Uint8Array(LIMITS.spoolReserveBytes))]);
      }
      this.#hasReserve = true;
    } catch (error) {
      if (errnoOf(error) === null) throw error;
    }
  }

  /** The folder is another one now. */
  forget(): void {
    this.#hasReserve = false;
  }

  async #isThere(): Promise<boolean> {
    try {
      return (await stat(join(this.#directory, RESERVE_FILE))).size >= LIMITS.spoolReserveBytes;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }
}
