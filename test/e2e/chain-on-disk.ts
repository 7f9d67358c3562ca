/** A PoP's chain as the real programs have left it on disk: what the collector has stored, and what still waits in the spool. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { decodeDocument, documentName, type Head, HEAD_FILE, sequenceOf } from '../../src/agent/spool-file.ts';
import { digestOf } from '../../src/protocol/digest.ts';

export interface Link {
  sequence: number;
  /** Of the octets as they lie there. */
  digest: string;
  prev: string | null;
}

/** What a collector's database has of a PoP, in the order of the chain. */
export function storedChain(file: string, pop: string): Link[] {
  const database = new Database(file, { readonly: true });
  try {
    return database
      .prepare<[string], { sequence: number; octets: Buffer }>(
        'SELECT sequence, octets FROM document WHERE pop = ? ORDER BY sequence',
      )
      .all(pop)
      .map(({ sequence, octets }) => linkOf(sequence, octets));
  } finally {
    database.close();
  }
}

/** Numbers of what waits in a spool folder, in the order of the chain. */
export async function spooledNumbers(folder: string): Promise<number[]> {
  const names = (await readdir(folder)).toSorted();
  return names.flatMap((name) => sequenceOf(name) ?? []);
}

/** What waits in a spool folder from which nobody takes anything now, in the order of the chain. */
export async function spooledChain(folder: string): Promise<Link[]> {
  const numbers = await spooledNumbers(folder);
  return Promise.all(
    numbers.map(async (sequence) => {
      const document = decodeDocument(sequence, await readFile(join(folder, documentName(sequence))));
      if (typeof document === 'string') throw new Error(document);
      return linkOf(sequence, document.octets);
    }),
  );
}

/** The last document that was ever put into a spool, as its folder remembers it. */
export async function headOf(folder: string): Promise<Head> {
  return JSON.parse(await readFile(join(folder, HEAD_FILE), 'utf8')) as Head;
}

/** The first document that does not follow the one before it, or null. A chain begins where nothing is named before. */
export function breakIn(chain: readonly Link[]): Link | null {
  const isBroken = ({ sequence, prev }: Link, index: number): boolean => {
    const before = chain[index - 1];
    return prev !== (before?.digest ?? null) || (before !== undefined && sequence !== before.sequence + 1);
  };
  return chain.find(isBroken) ?? null;
}

function linkOf(sequence: number, octets: Uint8Array): Link {
  const said: { sequence: number; prev: string | null } = JSON.parse(Buffer.from(octets).toString());
  expect(said.sequence).toBe(sequence);
  return { sequence, digest: digestOf(octets), prev: said.prev };
}
