/** The documents in files and folders, one after another. */

import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DOCUMENT_FILE_BYTES_MAX, type DocumentFile, sequenceOf, splitDocument } from '../agent/spool-file.ts';
import { FileRefused, readSmallFile, systemReason } from '../config/small-file.ts';
import type { Exhibit, NoExhibit } from './exhibit.ts';

const SUFFIX = '.jws';

/** What there is to read. */
export interface DocumentFiles {
  /** In the order in which they were named, a folder's by name. Names without their folder: a month has many. */
  files: { folder: string | null; names: string[] }[];
  /** Folders without a document, or that cannot be read. */
  empty: Exhibit[];
  /** Files in the folders that are no documents by their names, such as a spool's head.json. */
  others: number;
}

/** Looks into the folders among `paths`, and not into those within them. */
export function listDocumentFiles(paths: readonly string[]): DocumentFiles {
  const listed: DocumentFiles = { files: [], empty: [], others: 0 };
  for (const path of paths) {
    if (isFolder(path)) lookInto(path, listed);
    else listed.files.push({ folder: null, names: [path] });
  }
  return listed;
}

/** What cannot be looked at is read like a file, and whoever reads it says why it cannot be. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function lookInto(folder: string, listed: DocumentFiles): void {
  const nothing = (found: string): void => {
    const content: NoExhibit = { code: 'nothing_to_verify', expected: `documents (*${SUFFIX}) in the folder`, found };
    listed.empty.push({ place: folder, sequence: null, content, isBeyond: false, doneRatio: 0 });
  };
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    const documents = entries.map(({ name }) => name).filter((name) => name.endsWith(SUFFIX));
    if (documents.length === 0) nothing('none');
    listed.files.push({ folder, names: documents.sort() });
    listed.others += entries.length - documents.length;
  } catch (cause) {
    nothing(systemReason(cause));
  }
}

/** Reads the files one at a time. */
export function* documentFiles({ files, empty }: DocumentFiles): Generator<Exhibit> {
  yield* empty;
  const total = files.reduce((sum, { names }) => sum + names.length, 0);
  let done = 0;
  for (const { folder, names } of files) {
    for (const name of names) {
      const place = folder === null ? name : join(folder, name);
      const sequence = sequenceOf(basename(place));
      yield { place, sequence, content: contentOf(place), isBeyond: false, doneRatio: ++done / total };
    }
  }
}

function contentOf(file: string): DocumentFile | NoExhibit {
  const parts = split(file);
  if (typeof parts !== 'string') return parts;
  return { code: 'not_a_document', expected: 'a document file', found: parts };
}

function split(file: string): DocumentFile | string {
  try {
    return splitDocument(readSmallFile(file, DOCUMENT_FILE_BYTES_MAX).octets);
  } catch (cause) {
    if (cause instanceof FileRefused) return cause.message;
    throw cause;
  }
}
