/** A PoP's chain as the real programs have left it on disk: what the collector has stored, and what still waits in the spool. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'vitest';
import { decodeDocument, sequenceOf } from '../../src/agent/spool-file.ts';
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

/** What waits in a spool folder, in the order of the chain. */
export async function spooledChain(folder: string): Promise<Link[]> {
  const names = (await readdir(folder)).toSorted();
  const numbered = names.flatMap((name) => {
    const sequence = sequenceOf(name);
    return sequence === null ? [] : [{ name, sequence }];
  });
  return Promise.all(
    numbered.map(async ({ name, sequence }) => {
      const document = decodeDocument(sequence, await readFile(join(folder, name)));
      if (typeof document === 'string') throw new Error(document);
      return linkOf(sequence, document.octets);
    }),
  );
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
