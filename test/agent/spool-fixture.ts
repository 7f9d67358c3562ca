/** Temporary folders, a log that can be read back, and small documents for the tests of the spool and the pusher. */

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { onTestFinished } from 'vitest';
import { openSpool, type Spool, type SpoolOptions } from '../../src/agent/spool.ts';
import type { SealedDocument } from '../../src/agent/spool-file.ts';

const MAX_BYTES = 1_000_000;

/** A folder of its own for the test, deleted afterwards. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'popprobe-spool-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface LogLine {
  level: number;
  msg: string;
  [member: string]: unknown;
}

/** A real logger, and the lines it has written. */
export function recordingLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

export const silentLog: Logger = pino({ level: 'silent' });

/** A document that is whole as far as the spool can tell, padded to tell documents of one number apart. */
export function buildDocument(sequence: number, padding = ''): SealedDocument {
  return {
    sequence,
    octets: Buffer.from(JSON.stringify({ sequence, prev: null, padding })),
    signature: `header..signature${sequence}`,
  };
}

export function open(
  directory: string,
  maxBytes = MAX_BYTES,
  log = silentLog,
  others: Partial<SpoolOptions> = {},
): Promise<Spool> {
  return openSpool({ directory, maxBytes, maxAgeH: 1, ...others }, log);
}

/** A spool of `sequences`, appended in order. */
export async function spoolOf(directory: string, sequences: readonly number[]): Promise<Spool> {
  const spool = await open(directory);
  for (const sequence of sequences) await spool.append(buildDocument(sequence));
  return spool;
}

/** The oldest document that waits, or null; what has gone bad on the disk is passed over. */
export async function oldestIn(spool: Spool): Promise<SealedDocument | null> {
  for (let next = spool.after(0); next !== null; next = spool.after(0)) {
    const document = await spool.read(next);
    if (document !== null) return document;
  }
  return null;
}

/** Delivers everything that waits and returns the sequence numbers in the order of delivery. */
export async function drain(spool: Spool): Promise<number[]> {
  const sequences: number[] = [];
  for (let document = await oldestIn(spool); document !== null; document = await oldestIn(spool)) {
    sequences.push(document.sequence);
    await spool.delivered(document.sequence);
  }
  return sequences;
}

/** The quarantined files and the reasons beside them. */
export async function quarantined(directory: string): Promise<Record<string, string>> {
  const folder = join(directory, 'quarantine');
  const names = (await readdir(folder)).filter((name) => !name.endsWith('.reason'));
  const entries = names.map(async (name) => [name, await readFile(join(folder, `${name}.reason`), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(entries));
}
