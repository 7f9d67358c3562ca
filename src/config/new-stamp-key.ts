/** Makes the key of an authenticated STAMP session. */

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { PopprobeError } from '../base/errors.ts';
import { makeKeyFolder, writeNewKeyFile } from './new-key-file.ts';
import { quote } from './quote.ts';
import { configName } from './schema-parts.ts';
import { STAMP_KEY_BYTES } from './stamp-keys.ts';

/**
 * Makes the key of a session named like `hkg1-to-sin1`, in a file that only the owner may read, and returns its path.
 * Makes the directory if there is none, but never replaces a file. Throws config_invalid_value for a bad name, key_exists,
 * or key_unwritable.
 */
export async function writeStampKey(directory: string, session: string): Promise<string> {
  if (!isSessionName(session)) {
    throw new PopprobeError('config_invalid_value', {
      expected: 'two names of PoPs with "-to-" between, as hkg1-to-sin1',
      found: quote(session),
      remedy: 'name the PoP that sends first and the one that reflects second',
    });
  }
  const file = join(directory, `${session}.key`);
  makeKeyFolder(directory);
  await writeNewKeyFile(file, `${randomBytes(STAMP_KEY_BYTES).toString('hex')}\n`, 0o600);
  return file;
}

/** The names of PoPs with authenticated sessions have no word "to" (mesh-conflicts.ts), so that there is one way to read it. */
function isSessionName(text: string): boolean {
  const names = text.split('-to-');
  return names.length === 2 && names.every((name) => configName.safeParse(name).success);
}
