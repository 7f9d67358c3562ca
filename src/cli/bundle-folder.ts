/** A bundle as a folder: an interrupted one is completed by the next run, and no other folder is touched. */

import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PopprobeError } from '../base/errors.ts';
import { makeFolder } from '../config/make-folder.ts';
import { type BundleSink, onBundle } from './bundle-sink.ts';

export class BundleFolder implements BundleSink {
  readonly #folder: string;
  #made = '';

  /**
   * Makes the folder where there is none.
   *
   * @param first path and octets of the file that tells this bundle from any other
   * @throws PopprobeError `bundle_exists` when something else is in the folder, `bundle_unwritable`
   */
  constructor(folder: string, [path, octets]: readonly [string, Uint8Array]) {
    this.#folder = folder;
    onBundle(folder, () => makeFolder(folder));
    const isEmpty = onBundle(folder, () => readdirSync(folder)).length === 0;
    if (!isEmpty && !holds(join(folder, path), octets)) throw another(folder, path);
  }

  write(path: string, octets: Uint8Array): void {
    const file = join(this.#folder, path);
    if (holds(file, octets)) return;
    onBundle(file, () => {
      this.#makeFolder(dirname(file));
      writeFileSync(`${file}.tmp`, octets);
      renameSync(`${file}.tmp`, file);
    });
  }

  finish(): void {
    // Every file has its name and its octets already.
  }

  /** The next file is mostly in the same one. */
  #makeFolder(folder: string): void {
    if (folder === this.#made) return;
    makeFolder(folder);
    this.#made = folder;
  }
}

/** Whether the file is there with these octets; one that cannot be read is written anew, and that may say why. */
function holds(file: string, octets: Uint8Array): boolean {
  try {
    return readFileSync(file).equals(octets);
  } catch {
    return false;
  }
}

function another(folder: string, path: string): PopprobeError {
  return new PopprobeError('bundle_exists', {
    expected: 'a new or empty folder, or one with this bundle',
    found: `other files in ${folder}, or another ${path}`,
    remedy: 'choose another folder, or empty this one',
  });
}
