/** Keeps an agent from taking over a folder that is somebody else's: it would move what lies there to its quarantine. */

import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { quote } from '../config/quote.ts';
import { RESERVE_FILE } from './control-files.ts';
import { isTemporary } from './durable.ts';
import { folderEntries } from './folder-entries.ts';
import { GAPS_FILE } from './gap-memory.ts';
import { HEAD_FILE, sequenceOf } from './spool-file.ts';
import { QUARANTINE_FOLDER } from './spool-recovery.ts';

const OURS: ReadonlySet<string> = new Set([HEAD_FILE, GAPS_FILE, RESERVE_FILE, QUARANTINE_FOLDER]);

/** What a file system makes by itself. */
const NOBODYS = 'lost+found';

/**
 * Takes a folder with anything of a spool for one, and one without files for a new one. A few files by themselves are strays,
 * which the quarantine is for; beside folders, or many, they are somebody's.
 *
 * @throws PopprobeError `spool_unusable` for somebody's folder; the file system's own error when it cannot be read
 */
export async function refuseForeignFolder(directory: string): Promise<void> {
  const files: string[] = [];
  let hasFolders = false;
  for await (const entries of folderEntries(directory)) {
    for (const entry of entries) {
      const { name } = entry;
      if (OURS.has(name) || sequenceOf(name) !== null || isTemporary(name)) return;
      if (entry.isDirectory()) hasFolders ||= name !== NOBODYS;
      else if (files.length <= LIMITS.spoolStrayFilesMax) files.push(name);
    }
  }
  const [first] = files;
  if (first === undefined || (!hasFolders && files.length <= LIMITS.spoolStrayFilesMax)) return;
  throw new PopprobeError('spool_unusable', {
    expected: `a new folder or a spool at ${directory}`,
    found: `files of somebody else, such as ${quote(first)}`,
    remedy: 'give the agent a folder of its own',
  });
}
