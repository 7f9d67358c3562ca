/** Where a bundle is written: a folder, or a tar file. */

import { PopprobeError } from '../base/errors.ts';
import { systemReason } from '../config/small-file.ts';

/** Takes the files of a bundle one after another. Every method throws PopprobeError `bundle_unwritable`. */
export interface BundleSink {
  /** `path` is relative, with slashes. A file that is there already with these octets is kept. */
  write(path: string, octets: Uint8Array): void;
  /** Everything is written. */
  finish(): void;
}

/** Runs a step on the disk. @throws PopprobeError `bundle_unwritable` when it is refused */
export function onBundle<T>(path: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw new PopprobeError('bundle_unwritable', {
      expected: `to write ${path}`,
      found: systemReason(cause),
      remedy: 'correct the place or its permissions, or make room, and run the command again: it goes on from there',
      cause,
    });
  }
}
