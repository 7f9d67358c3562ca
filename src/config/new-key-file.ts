/** Writes key files: never over an existing one. */

import { writeFile } from 'node:fs/promises';
import { PopprobeError } from '../base/errors.ts';
import { makeFolder } from './make-folder.ts';
import { systemReason } from './small-file.ts';

/** Makes the folder, for its owner only, if there is none. Throws key_unwritable. */
export function makeKeyFolder(directory: string): void {
  try {
    makeFolder(directory, 0o700);
  } catch (cause) {
    throw notWritten(directory, cause);
  }
}

/** Writes a file that was not there before and waits until it is on disk. Throws key_exists or key_unwritable. */
export async function writeNewKeyFile(file: string, content: string | Buffer, mode: number): Promise<void> {
  try {
    await writeFile(file, content, { flag: 'wx', mode, flush: true });
  } catch (cause) {
    throw notWritten(file, cause);
  }
}

function notWritten(file: string, cause: unknown): PopprobeError {
  if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
    return new PopprobeError('key_exists', {
      expected: 'no file of that name',
      found: file,
      remedy: 'choose another name or folder; move the old key away only if no agent uses it',
      cause,
    });
  }
  const remedy = 'choose a folder that you may write to, with --out';
  return new PopprobeError('key_unwritable', {
    expected: 'a folder to write keys to',
    found: `${systemReason(cause)}: ${file}`,
    remedy,
    cause,
  });
}
