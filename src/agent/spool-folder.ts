/** The folder of a spool on its disk: one file per document, and whether it still is the folder that it was. */

import { lstatSync } from 'node:fs';
import { rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { makeFolder } from '../config/make-folder.ts';
import { ControlFiles } from './control-files.ts';
import { errnoOf } from './disk-error.ts';
import { syncFolder, writeDurably } from './durable.ts';
import { documentName, encodeDocument, type SealedDocument } from './spool-file.ts';
import { readDocument } from './spool-recovery.ts';
import { type SpooledEvent, spooledEvent } from './spooled-event.ts';

/** Takes the folder for this process alone, or throws. */
export type Claim = (directory: string) => void;

/** Which folder it is: a file system gives the inode number of a deleted folder to the next one at once. */
interface FolderIdentity {
  dev: bigint;
  ino: bigint;
  bornNs: bigint;
}

/** Everything here throws the file system's own errors. */
export class SpoolFolder {
  readonly directory: string;
  readonly control: ControlFiles;
  readonly #claim: Claim;
  #claimed: FolderIdentity | null = null;

  constructor(directory: string, claim: Claim) {
    this.directory = directory;
    this.control = new ControlFiles(directory);
    this.#claim = claim;
  }

  /**
   * Makes the folder when it is not there, and claims it.
   *
   * @throws PopprobeError `spool_unusable` when it would be on another file system than before: a disk that is not mounted
   *   just now still has its documents, and a chain that went on elsewhere would fork when it is back
   */
  async make(): Promise<void> {
    const isNew = makeFolder(this.directory, 0o700);
    if (isNew) await syncFolder(dirname(this.directory));
    const found = await identityOf(this.directory);
    if (this.#claimed !== null && this.#claimed.dev !== found.dev) {
      if (isNew) await rmdir(this.directory);
      throw new PopprobeError('spool_unusable', {
        expected: `the spool folder ${this.directory} on the file system on which it was`,
        found: 'another file system',
        remedy: 'mount the disk of the spool again, or restart the agent to use the folder as it is now',
      });
    }
    this.#claim(this.directory);
    this.#claimed = found;
    this.control.forget();
  }

  /** Whether it is the folder that was claimed, and not deleted or another one in its place. */
  async isTheSame(): Promise<boolean> {
    try {
      return isDeepStrictEqual(await identityOf(this.directory), this.#claimed);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  path(sequence: number): string {
    return join(this.directory, documentName(sequence));
  }

  write(document: SealedDocument): Promise<void> {
    return writeDurably(this.directory, documentName(document.sequence), encodeDocument(document));
  }

  /** The document, or in a sentence why there is none. */
  read(sequence: number): Promise<SealedDocument | string> {
    return readDocument(this.path(sequence), sequence);
  }

  /** What a document says that must not be lost with it; null for one of the others, and for what is no document. */
  async eventOf(sequence: number): Promise<SpooledEvent | null> {
    if ((this.bytesOf(sequence) ?? 0) > LIMITS.gapRecordBytesMax) return null;
    const document = await this.read(sequence);
    return typeof document === 'string' ? null : spooledEvent(document);
  }

  remove(sequence: number): Promise<void> {
    return rm(this.path(sequence), { force: true });
  }

  /** When the document was written, ms since the Unix epoch; null when its file is gone. */
  writtenMs(sequence: number): number | null {
    return lstatSync(this.path(sequence), { throwIfNoEntry: false })?.mtimeMs ?? null;
  }

  /** Octets of the document's file as it is now; null when it is gone. */
  bytesOf(sequence: number): number | null {
    return lstatSync(this.path(sequence), { throwIfNoEntry: false })?.size ?? null;
  }
}

async function identityOf(directory: string): Promise<FolderIdentity> {
  const { dev, ino, birthtimeNs } = await stat(directory, { bigint: true });
  return { dev, ino, bornNs: birthtimeNs };
}
