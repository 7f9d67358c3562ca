/** Finds out, when the agent starts, what a spool folder holds after whatever has happened to it. */

import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { digestOf } from '../protocol/digest.ts';
import { errnoOf } from './disk-error.ts';
import { isTemporary } from './durable.ts';
import type { Quarantine } from './quarantine.ts';
import {
  decodeDocument,
  decodeHead,
  DOCUMENT_FILE_BYTES_MAX,
  type Head,
  HEAD_FILE,
  type SealedDocument,
  sequenceOf,
} from './spool-file.ts';

export const QUARANTINE_FOLDER = 'quarantine';

export interface SpooledFile {
  sequence: number;
  bytes: number;
}

export interface Recovered {
  /** The documents waiting, ascending. */
  files: SpooledFile[];
  /** The last document ever appended, delivered or not. */
  head: Head | null;
  /** Sequence number that head.json states: behind `head` when the agent died between the two writes. */
  headOnDisk: number | null;
}

/**
 * Reads a whole spool folder, one file at a time. Leftover temporary files are removed; everything that is not a whole
 * document moves to the quarantine. A file that cannot even be moved is logged and left alone.
 *
 * @throws the file system's own error when the folder itself cannot be read
 */
export async function recover(directory: string, quarantine: Quarantine, log: Logger): Promise<Recovered> {
  const setAside = async (name: string, reason: string): Promise<void> => {
    try {
      await quarantine.take(join(directory, name), reason);
      log.warn({ file: name, reason }, 'not a whole document: moved to the quarantine');
    } catch (error) {
      log.error({ err: error, file: name, reason }, 'not a whole document, and it cannot be moved to the quarantine');
    }
  };
  const files: SpooledFile[] = [];
  let newest: SealedDocument | null = null;
  for (const entry of await entriesInOrder(directory)) {
    if (isTemporary(entry.name)) {
      await rm(join(directory, entry.name), { force: true, recursive: true });
      continue;
    }
    const sequence = sequenceOf(entry.name);
    const path = join(directory, entry.name);
    const document = sequence === null ? 'not a file of the spool' : await readDocument(path, sequence);
    if (typeof document === 'string') {
      await setAside(entry.name, document);
      continue;
    }
    files.push({ sequence: document.sequence, bytes: (await lstat(path)).size });
    newest = document;
  }
  const saved = await readHead(join(directory, HEAD_FILE));
  if (typeof saved === 'string') await setAside(HEAD_FILE, saved);
  const headOnDisk = saved === null || typeof saved === 'string' ? null : saved;
  return { files, head: newerHead(headOnDisk, newest), headOnDisk: headOnDisk?.sequence ?? null };
}

/**
 * Reads one document file, or says in a sentence why it holds no document.
 *
 * @throws the file system's own error when that says nothing about the file itself (too many open files, no permission)
 */
export async function readDocument(path: string, sequence: number): Promise<SealedDocument | string> {
  const content = await readRegularFile(path);
  return typeof content === 'string' ? content : decodeDocument(sequence, content);
}

async function readHead(path: string): Promise<Head | string | null> {
  const content = await readRegularFile(path);
  if (content === GONE) return null;
  if (typeof content === 'string') return content;
  return decodeHead(content) ?? 'not the head of a chain';
}

const GONE = 'the file is gone';

/** The file's content, or a sentence. The type is looked at first: opening a FIFO would wait for ever. */
async function readRegularFile(path: string): Promise<Uint8Array | string> {
  try {
    const stat = await lstat(path);
    if (!stat.isFile()) return 'not a regular file';
    if (stat.size > DOCUMENT_FILE_BYTES_MAX) return `larger than ${DOCUMENT_FILE_BYTES_MAX} octets`;
    return await readFile(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return GONE;
    if (errnoOf(error) === 'EIO') return 'the disk cannot read it (EIO)';
    throw error;
  }
}

/** What may be a document or rubbish, in the order of the chain. Folders, such as lost+found, are not ours to move. */
async function entriesInOrder(directory: string): Promise<Dirent[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter(({ name }) => name !== HEAD_FILE && name !== QUARANTINE_FOLDER)
    .filter((entry) => !entry.isDirectory() || sequenceOf(entry.name) !== null)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function newerHead(saved: Head | null, newest: SealedDocument | null): Head | null {
  if (newest === null || (saved !== null && saved.sequence > newest.sequence)) return saved;
  return { sequence: newest.sequence, digest: digestOf(newest.octets) };
}
