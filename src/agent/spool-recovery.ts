/** Finds out, when the agent starts, what a spool folder holds after whatever has happened to it. */

import { lstatSync, type Stats } from 'node:fs';
import { lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { digestOf } from '../protocol/digest.ts';
import { RESERVE_FILE } from './control-files.ts';
import { errnoOf } from './disk-error.ts';
import { isTemporary } from './durable.ts';
import { folderEntries } from './folder-entries.ts';
import { decodeGaps, GAPS_FILE, type Gaps, NO_GAPS } from './gap-memory.ts';
import { nextSigner } from './next-signer.ts';
import type { NumberRange } from './number-ranges.ts';
import {
  decodeDocument,
  decodeHead,
  DOCUMENT_FILE_BYTES_MAX,
  documentName,
  type Head,
  HEAD_FILE,
  headOf,
  type SealedDocument,
  sequenceOf,
  splitDocument,
} from './spool-file.ts';
import { SpoolIndex } from './spool-index.ts';

export const QUARANTINE_FOLDER = 'quarantine';

/** Something that is in the way of the spool's own files, and what it is in words. */
export interface Stranger {
  name: string;
  reason: string;
}

export interface Recovered {
  /** The documents waiting. Only the newest has been read: what else is torn shows when it is read to be delivered. */
  index: SpoolIndex;
  /** The last document ever appended, delivered or not. */
  head: Head | null;
  /** Sequence number that head.json states: behind `head` when the agent died between the two writes. */
  headOnDisk: number | null;
  /** What was given up and not declared yet. */
  gaps: Gaps;
  /** What is to be moved to the quarantine. */
  strangers: Stranger[];
}

/**
 * Looks at the name, kind and size of every file, and reads what tells where the chain goes on. Leftover temporary files
 * are removed, nothing else is changed.
 *
 * @throws the file system's own error when the folder itself cannot be read
 */
export async function recover(directory: string, log: Logger): Promise<Recovered> {
  const strangers: Stranger[] = [];
  const index = await indexOf(directory, strangers, log);
  const saved = await readControl(directory, HEAD_FILE, (content) => decodeHead(content) ?? 'not the head of a chain');
  const gaps = await readControl(directory, GAPS_FILE, (content) => decodeGaps(content) ?? 'not a memory of gaps');
  for (const [name, reason] of [
    [HEAD_FILE, saved],
    [GAPS_FILE, gaps],
  ] as const) {
    if (typeof reason === 'string') strangers.push({ name, reason });
  }
  const headOnDisk = typeof saved === 'string' ? null : saved;
  const newest = await headBeyond(headOnDisk?.sequence ?? 0, directory, index, strangers);
  return {
    index,
    head: newest ?? headOnDisk,
    headOnDisk: headOnDisk?.sequence ?? null,
    gaps: gaps === null || typeof gaps === 'string' ? NO_GAPS : gaps,
    strangers,
  };
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

/** What `readDocument` says of a file that is not there. */
export const GONE = 'the file is gone';

/** The documents of the folder, with what is none among the strangers. */
async function indexOf(directory: string, strangers: Stranger[], log: Logger): Promise<SpoolIndex> {
  const index = new SpoolIndex();
  for await (const entries of folderEntries(directory)) {
    for (const entry of entries) {
      const { name } = entry;
      const sequence = sequenceOf(name);
      if (sequence !== null) {
        const stat = lstatSync(join(directory, name), { throwIfNoEntry: false });
        if (stat === undefined) continue;
        const reason = reasonAgainst(stat);
        if (reason === null) index.add({ sequence, bytes: stat.size });
        else strangers.push({ name, reason });
      } else if (isTemporary(name)) {
        await removeTemporary(join(directory, name), log);
      } else if (!isOurs(name) && !entry.isDirectory()) {
        // Folders, such as lost+found, are not ours to move.
        strangers.push({ name, reason: 'not a file of the spool' });
      }
    }
  }
  strangers.sort((a, b) => (a.name < b.name ? -1 : 1));
  return index;
}

/**
 * The documents that the folder holds of a stretch of numbers, whatever their files look like by now.
 *
 * @param isWaiting says of a file that is there whether it is still to be delivered
 * @throws the file system's own error
 */
export async function documentsWithin(
  directory: string,
  [first, last]: NumberRange,
  isWaiting: (sequence: number) => boolean = () => true,
): Promise<SpoolIndex> {
  const index = new SpoolIndex();
  for await (const entries of folderEntries(directory)) {
    for (const { name } of entries) {
      const sequence = sequenceOf(name);
      if (sequence === null || sequence < first || sequence > last || !isWaiting(sequence)) continue;
      const stat = lstatSync(join(directory, name), { throwIfNoEntry: false });
      if (stat !== undefined) index.add({ sequence, bytes: stat.size });
    }
  }
  return index;
}

function isOurs(name: string): boolean {
  return name === HEAD_FILE || name === GAPS_FILE || name === RESERVE_FILE || name === QUARANTINE_FOLDER;
}

/** A disk that has turned read-only keeps it; who can read can go on. */
async function removeTemporary(path: string, log: Logger): Promise<void> {
  try {
    await rm(path, { force: true, recursive: true });
  } catch (error) {
    log.warn({ err: error, path }, 'cannot remove a write that was cut short');
  }
}

/** The newest document behind what head.json remembers, or null. What is no document leaves the index. */
async function headBeyond(
  saved: number,
  directory: string,
  index: SpoolIndex,
  strangers: Stranger[],
): Promise<Head | null> {
  let torn: Head | null = null;
  for (let sequence = index.newest; sequence !== null && sequence > saved; sequence = index.newest) {
    const content = await readRegularFile(join(directory, documentName(sequence)));
    const document = typeof content === 'string' ? content : decodeDocument(sequence, content);
    if (typeof document !== 'string') return torn ?? headOf(document);
    // It was signed and may be at the collector: its number is not to be used again while its first line says what it was.
    torn ??= typeof content === 'string' ? null : tornHead(sequence, content);
    index.remove(sequence, typeof content === 'string' ? null : content.length);
    strangers.push({ name: documentName(sequence), reason: document });
    const { unlisted } = index;
    // Its newest document may be the head.
    if (unlisted !== null && index.wantsMore) {
      index.list(await documentsWithin(directory, [unlisted.first, unlisted.last]));
    }
  }
  return torn;
}

/** What the first line of a torn document says of it. */
function tornHead(sequence: number, content: Uint8Array): Head | null {
  const file = splitDocument(content);
  if (typeof file === 'string' || digestOf(file.octets) === file.digest) return null;
  const nextKid = nextSigner(file);
  return { sequence, digest: file.digest, ...(nextKid !== undefined && { nextKid }) };
}

async function readControl<T>(
  directory: string,
  name: string,
  decode: (content: Uint8Array) => T | string,
): Promise<T | string | null> {
  const content = await readRegularFile(join(directory, name));
  if (content === GONE) return null;
  return typeof content === 'string' ? content : decode(content);
}

/** The file's content, or a sentence. The kind is looked at first: opening a FIFO would wait for ever. */
async function readRegularFile(path: string): Promise<Uint8Array | string> {
  try {
    return reasonAgainst(await lstat(path)) ?? (await readFile(path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return GONE;
    if (errnoOf(error) === 'EIO') return 'the disk cannot read it (EIO)';
    throw error;
  }
}

/** What can be said against a file without reading it. */
function reasonAgainst(stat: Stats): string | null {
  if (!stat.isFile()) return 'not a regular file';
  if (stat.size === 0) return 'the file is empty';
  return stat.size > DOCUMENT_FILE_BYTES_MAX ? `larger than ${DOCUMENT_FILE_BYTES_MAX} octets` : null;
}
