/** The names in a folder one after another, however many there are. */

import { type Dirent, opendirSync } from 'node:fs';
import { Slice } from './slice.ts';

/** Entries that are read with one call of the kernel. */
const BUFFERED_ENTRIES = 256;

/**
 * In the order of the file system. Synchronous calls in short slices: a promise for each of 100,000 names would take
 * twice the time and the memory.
 *
 * @throws the file system's own error
 */
export async function* folderEntries(directory: string): AsyncGenerator<Dirent[]> {
  const folder = opendirSync(directory, { bufferSize: BUFFERED_ENTRIES });
  const slice = new Slice();
  try {
    for (;;) {
      const entries: Dirent[] = [];
      while (entries.length < BUFFERED_ENTRIES) {
        const entry = folder.readSync();
        if (entry === null) break;
        entries.push(entry);
      }
      if (entries.length === 0) return;
      yield entries;
      if (slice.isOver) await slice.rest();
    }
  } finally {
    folder.closeSync();
  }
}
