/** Keeps an agent from taking over a folder that is somebody else's: it would move what lies there to its quarantine. */

import { PopprobeError } from '../base/errors.ts';
import { quote } from '../config/quote.ts';
import { RESERVE_FILE } from './control-files.ts';
import { isTemporary } from './durable.ts';
import { folderEntries } from './folder-entries.ts';
import { GAPS_FILE } from './gap-memory.ts';
import { HEAD_FILE, sequenceOf } from './spool-file.ts';
import { QUARANTINE_FOLDER } from './spool-recovery.ts';

const OURS: ReadonlySet<string> = new Set([HEAD_FILE, GAPS_FILE, RESERVE_FILE, QUARANTINE_FOLDER]);

/**
 * Takes a folder with anything of a spool for one, and one without files for a new one.
 *
 * @throws PopprobeError `spool_unusable` for any other; the file system's own error when it cannot be read
 */
export async function refuseForeignFolder(directory: string): Promise<void> {
  let foreign: string | null = null;
  for await (const entries of folderEntries(directory)) {
    for (const entry of entries) {
      const { name } = entry;
      if (OURS.has(name) || sequenceOf(name) !== null || isTemporary(name)) return;
      if (!entry.isDirectory()) foreign ??= name;
    }
  }
  if (foreign === null) return;
  throw new PopprobeError('spool_unusable', {
    expected: `a new folder or a spool at ${directory}`,
    found: `files of somebody else, such as ${quote(foreign)}`,
    remedy: 'give the agent a folder of its own',
  });
}
