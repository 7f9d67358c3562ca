/** The folder of what cannot be delivered: kept for a person to look at, each file beside the reason in words. */

import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Logger } from 'pino';
import { LIMITS } from '../base/limits.ts';
import { errnoOf } from './disk-error.ts';

const REASON_SUFFIX = '.reason';

interface KeptFile {
  name: string;
  bytes: number;
}

export class Quarantine {
  readonly #directory: string;
  readonly #log: Logger;
  /** In the order of arrival. */
  readonly #files: KeptFile[];
  #bytes: number;
  #taken = 0;
  #discarded = 0;

  private constructor(directory: string, files: KeptFile[], log: Logger) {
    this.#directory = directory;
    this.#log = log;
    this.#files = files;
    this.#bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  }

  /** Opens the folder, creating it when it is not there. @throws the file system's own error */
  static async open(directory: string, log: Logger): Promise<Quarantine> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new Quarantine(directory, await filesByArrival(directory), log);
  }

  /** Files taken in since the agent started. */
  get taken(): number {
    return this.#taken;
  }

  /** Files deleted since the agent started, because the quarantine was full. */
  get discarded(): number {
    return this.#discarded;
  }

  /**
   * Moves the file at `path`, on the same file system, into the quarantine, with `reason` in a text file beside it. A
   * file that is no longer there is counted all the same: whatever it held is not going to be delivered.
   *
   * @throws the file system's own error; the file then stays where it was
   */
  async take(path: string, reason: string): Promise<void> {
    const name = this.#freeName(basename(path));
    try {
      const { size } = await lstat(path);
      await rename(path, join(this.#directory, name));
      this.#files.push({ name, bytes: size });
      this.#bytes += size;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      this.#log.warn({ path }, 'gone before it could be moved to the quarantine');
    }
    this.#taken += 1;
    await this.#explain(name, reason);
    await this.#makeRoom();
  }

  /** A full disk must not keep a bad file in the queue for want of its explanation: that is in the log as well. */
  async #explain(name: string, reason: string): Promise<void> {
    const file = `${name}${REASON_SUFFIX}`;
    try {
      await writeFile(join(this.#directory, file), `${reason}\n`, { mode: 0o600 });
    } catch (error) {
      this.#log.warn({ err: error, file, reason }, 'cannot write down why a file is in the quarantine');
    }
  }

  async #makeRoom(): Promise<void> {
    while (this.#bytes > LIMITS.quarantineBytesMax) {
      const oldest = this.#files[0];
      if (oldest === undefined) return;
      await rm(join(this.#directory, oldest.name), { force: true, recursive: true });
      await rm(join(this.#directory, `${oldest.name}${REASON_SUFFIX}`), { force: true });
      this.#files.shift();
      this.#bytes -= oldest.bytes;
      this.#discarded += 1;
      this.#log.error({ file: oldest.name }, 'quarantine is full: the oldest file was deleted');
    }
  }

  /** A torn head.json may come more than once; the earlier one is not overwritten. */
  #freeName(name: string): string {
    const names = new Set(this.#files.map((file) => file.name));
    let free = name;
    for (let copy = 1; names.has(free); copy += 1) free = `${name}.${copy}`;
    return free;
  }
}

/** ctime, because moving a file sets it, whereas mtime is still that of the writing. */
async function filesByArrival(directory: string): Promise<KeptFile[]> {
  const names = new Set(await readdir(directory));
  const files: (KeptFile & { ctimeMs: number })[] = [];
  for (const name of names) {
    const isReason = name.endsWith(REASON_SUFFIX) && names.has(name.slice(0, -REASON_SUFFIX.length));
    if (isReason) continue;
    const { size, ctimeMs } = await lstat(join(directory, name));
    files.push({ name, bytes: size, ctimeMs });
  }
  files.sort((a, b) => a.ctimeMs - b.ctimeMs);
  return files.map(({ name, bytes }) => ({ name, bytes }));
}
