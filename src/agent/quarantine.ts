/** The folder of what cannot be delivered: kept for a person to look at, each file beside the reason in words. */

import { lstatSync } from 'node:fs';
import { lstat, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Logger } from 'pino';
import { LIMITS } from '../base/limits.ts';
import { makeFolder } from '../config/make-folder.ts';
import { errnoOf } from './disk-error.ts';
import { folderEntries } from './folder-entries.ts';

export const REASON_SUFFIX = '.reason';

interface KeptFile {
  name: string;
  /** ctime, because moving a file sets it, whereas mtime is still that of the writing. */
  ctimeMs: number;
}

/** Knows how much it holds, and of the files themselves only the oldest: there may be very many small ones. */
export class Quarantine {
  readonly #directory: string;
  readonly #log: Logger;
  #bytes = 0;
  /** Names in the order of arrival; whatever is not among them came later than each of them. */
  #oldest: string[] = [];
  /** Whether that is all there is. */
  #isComplete = true;
  #taken = 0;
  #discarded = 0;

  private constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.#log = log;
  }

  /** Opens the folder, creating it when it is not there. @throws the file system's own error */
  static async open(directory: string, log: Logger): Promise<Quarantine> {
    const quarantine = new Quarantine(directory, log);
    await quarantine.reopen();
    return quarantine;
  }

  /** Makes the folder when it is not there any more, and looks what is in it. @throws the file system's own error */
  async reopen(): Promise<void> {
    makeFolder(this.#directory, 0o700);
    await this.#look();
  }

  /** Files taken in since the agent started. */
  get taken(): number {
    return this.#taken;
  }

  /** Files deleted since the agent started, because the quarantine was full. */
  get discarded(): number {
    return this.#discarded;
  }

  pathOf(name: string): string {
    return join(this.#directory, name);
  }

  /**
   * Moves the file at `path`, on the same file system, into the quarantine, with `reason` in a text file beside it.
   *
   * @throws the file system's own error; the file then stays where it was
   */
  async take(path: string, reason: string): Promise<void> {
    const name = await this.#freeName(basename(path));
    const { size } = await lstat(path);
    await rename(path, this.pathOf(name));
    this.#bytes += size;
    this.#taken += 1;
    this.#isComplete &&= this.#oldest.length < LIMITS.quarantineOldestMax;
    if (this.#isComplete) this.#oldest.push(name);
    await this.#explain(name, reason);
    await this.#makeRoom();
  }

  /** Moves a file out, on the same file system, and forgets its reason. @throws the file system's own error */
  async release(name: string, to: string): Promise<void> {
    const { size } = await lstat(this.pathOf(name));
    await rename(this.pathOf(name), to);
    this.#bytes -= size;
    this.#oldest = this.#oldest.filter((each) => each !== name);
    await rm(this.pathOf(`${name}${REASON_SUFFIX}`), { force: true });
  }

  /** Deletes a file, its later copies and their reasons. @throws the file system's own error */
  async drop(name: string): Promise<void> {
    for (const each of await this.#copiesOf(name)) await this.#delete(each);
  }

  /** Whether there is a file of this name. @throws the file system's own error */
  async has(name: string): Promise<boolean> {
    return (await this.#sizeOf(name)) !== null;
  }

  /** A full disk must not keep a bad file in the queue for want of its explanation: that is in the log as well. */
  async #explain(name: string, reason: string): Promise<void> {
    const file = `${name}${REASON_SUFFIX}`;
    try {
      await writeFile(this.pathOf(file), `${reason}\n`, { mode: 0o600 });
    } catch (error) {
      this.#log.warn({ err: error, file, reason }, 'cannot write down why a file is in the quarantine');
    }
  }

  async #makeRoom(): Promise<void> {
    while (this.#bytes > LIMITS.quarantineBytesMax) {
      if (this.#oldest.length === 0) await this.#look();
      const [oldest] = this.#oldest;
      if (oldest === undefined) return;
      await this.#delete(oldest);
      this.#discarded += 1;
      this.#log.error({ file: oldest }, 'quarantine is full: the oldest file was deleted');
    }
  }

  async #delete(name: string): Promise<void> {
    const bytes = await this.#sizeOf(name);
    await rm(this.pathOf(name), { force: true, recursive: true });
    await rm(this.pathOf(`${name}${REASON_SUFFIX}`), { force: true });
    this.#bytes -= bytes ?? 0;
    this.#oldest = this.#oldest.filter((each) => each !== name);
  }

  /** A torn head.json may come more than once; the earlier one is not overwritten. */
  async #freeName(name: string): Promise<string> {
    const copies = await this.#copiesOf(name);
    return copies.length === 0 ? name : `${name}.${copies.length}`;
  }

  async #copiesOf(name: string): Promise<string[]> {
    const copies: string[] = [];
    for (let next = name; await this.has(next); next = `${name}.${copies.length}`) copies.push(next);
    return copies;
  }

  async #sizeOf(name: string): Promise<number | null> {
    try {
      return (await lstat(this.pathOf(name))).size;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  /** Counts the octets of all files, and finds the oldest ones. */
  async #look(): Promise<void> {
    this.#bytes = 0;
    let count = 0;
    const files: KeptFile[] = [];
    for await (const entries of folderEntries(this.#directory)) {
      for (const { name } of entries) {
        if (name.endsWith(REASON_SUFFIX)) continue;
        const stat = lstatSync(this.pathOf(name), { throwIfNoEntry: false });
        if (stat === undefined) continue;
        this.#bytes += stat.size;
        files.push({ name, ctimeMs: stat.ctimeMs });
        count += 1;
      }
      // Now and then: to sort for each file would take the time of all the rest.
      if (files.length > 2 * LIMITS.quarantineOldestMax) keepOldest(files);
    }
    keepOldest(files);
    this.#oldest = files.map(({ name }) => name);
    this.#isComplete = count === files.length;
  }
}

function keepOldest(files: KeptFile[]): void {
  files.sort((a, b) => a.ctimeMs - b.ctimeMs);
  files.length = Math.min(files.length, LIMITS.quarantineOldestMax);
}
