/** What lies in a spool folder, as a person wants to see it: each document by its beginning, without reading megabytes. */

import { closeSync, existsSync, lstatSync, openSync, readFileSync, readSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { errnoOf } from '../agent/disk-error.ts';
import { folderEntries } from '../agent/folder-entries.ts';
import { REASON_SUFFIX } from '../agent/quarantine.ts';
import { documentName, HEAD_FILE, sequenceOf, splitDocument } from '../agent/spool-file.ts';
import { QUARANTINE_FOLDER } from '../agent/spool-recovery.ts';
import { PopprobeError } from '../base/errors.ts';
import { systemReason } from '../config/small-file.ts';

/** Signature, digest, and what a document says of itself before its figures. */
const BEGINNING_BYTES = 4096;

export interface SpooledDocument {
  sequence: number;
  /** `summary`, the kind of a record's event, or null when the beginning of the file is no document's. */
  kind: string | null;
  /** Begin of the window, or when the event happened, RFC 3339; null when the file does not say. */
  at: string | null;
  /** Octets of the file. */
  bytes: number;
  /** When it was written, ms since the Unix epoch. */
  writtenMs: number;
  /** Why it is in the quarantine; null for one that waits. */
  reason: string | null;
}

/** Names in a spool folder, ascending. */
export interface SpoolNames {
  waiting: number[];
  quarantined: number[];
  /** Files in the quarantine that bear no number. */
  strangers: number;
}

/** @throws PopprobeError `spool_unusable` when the folder cannot be read */
export async function spoolNames(directory: string): Promise<SpoolNames> {
  const waiting = await namesIn(directory);
  // A folder that was just made by hand has none.
  const aside = await namesIn(join(directory, QUARANTINE_FOLDER), []);
  return {
    waiting: sequencesAmong(waiting),
    quarantined: sequencesAmong(aside),
    strangers: aside.filter((name) => sequenceOf(name) === null && !name.endsWith(REASON_SUFFIX)).length,
  };
}

/**
 * Refuses a folder in which no agent has sealed anything: opened as a spool it would be made one, and whatever lies in it
 * would go to its quarantine.
 *
 * @throws PopprobeError `spool_unusable`, also when the folder cannot be read
 */
export async function mustBeSpool(directory: string): Promise<void> {
  const { waiting, quarantined } = await spoolNames(directory);
  if (waiting.length > 0 || quarantined.length > 0 || existsSync(join(directory, HEAD_FILE))) return;
  throw new PopprobeError('spool_unusable', {
    expected: `the spool folder of an agent: ${directory}`,
    found: `neither ${HEAD_FILE} nor documents`,
    remedy: 'correct the path',
  });
}

/** The file of a document. */
export function spooledPath(directory: string, sequence: number, isQuarantined: boolean): string {
  return join(directory, isQuarantined ? QUARANTINE_FOLDER : '', documentName(sequence));
}

/**
 * Describes one, or null when it is gone by now: the agent may be delivering.
 *
 * @throws PopprobeError `spool_unusable` when it cannot be read
 */
export function describeDocument(directory: string, sequence: number, isQuarantined: boolean): SpooledDocument | null {
  const path = spooledPath(directory, sequence, isQuarantined);
  try {
    const stat = lstatSync(path);
    const reason = isQuarantined ? reasonOf(path) : null;
    return { sequence, ...beginningOf(path, stat), bytes: stat.size, writtenMs: stat.mtimeMs, reason };
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return null;
    throw unreadable(path, cause);
  }
}

async function namesIn(directory: string, otherwise?: string[]): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entries of folderEntries(directory)) names.push(...entries.map(({ name }) => name));
  } catch (cause) {
    if (otherwise !== undefined && errnoOf(cause) === 'ENOENT') return otherwise;
    throw unreadable(directory, cause);
  }
  return names;
}

function unreadable(path: string, cause: unknown): PopprobeError {
  return new PopprobeError('spool_unusable', {
    expected: `a spool that can be read: ${path}`,
    found: systemReason(cause),
    remedy: 'correct the path, or run the command as the user of the agent',
    cause,
  });
}

function sequencesAmong(names: readonly string[]): number[] {
  return names
    .map(sequenceOf)
    .filter((sequence) => sequence !== null)
    .sort((a, b) => a - b);
}

function beginningOf(path: string, stat: Stats): Pick<SpooledDocument, 'kind' | 'at'> {
  const parts = stat.isFile() ? splitDocument(readBeginning(path)) : 'not a regular file';
  if (typeof parts === 'string') return { kind: null, at: null };
  const text = Buffer.from(parts.octets).toString('latin1');
  const schema = firstIn(text, /^\{"schema":"popprobe\.(summary|record)\/1"/);
  if (schema !== 'record') return { kind: schema, at: firstIn(text, /"window":\{"start":"([^"]*)"/) };
  return { kind: firstIn(text, /"event":\{"kind":"([a-z_]*)"/) ?? schema, at: firstIn(text, /"at":"([^"]*)"/) };
}

function firstIn(text: string, pattern: RegExp): string | null {
  return pattern.exec(text)?.[1] ?? null;
}

function readBeginning(path: string): Buffer {
  const beginning = Buffer.alloc(BEGINNING_BYTES);
  const file = openSync(path, 'r');
  try {
    return beginning.subarray(0, readSync(file, beginning));
  } finally {
    closeSync(file);
  }
}

function reasonOf(path: string): string {
  try {
    return readFileSync(`${path}${REASON_SUFFIX}`, 'utf8').trim();
  } catch {
    return `no reason in ${basename(path)}${REASON_SUFFIX}`;
  }
}
