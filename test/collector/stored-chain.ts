/** Chains of small documents, and a collector's store that has them. */

import { Keyring } from '../../src/collector/keyring.ts';
import { openDatabase } from '../../src/collector/store/database.ts';
import { SqliteStore } from '../../src/collector/store/sqlite-store.ts';
import { claimOf, verifyDocument } from '../../src/collector/verify.ts';
import type { SigningKey } from '../../src/protocol/jws.ts';
import type { ChainRecord, RecordEvent } from '../../src/protocol/record.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import { buildRecord } from '../protocol/record-fixture.ts';
import {
  buildSummary,
  type SignedDocument,
  signDocument,
  type TestKey,
  WINDOW_START_S,
} from '../protocol/summary-fixture.ts';
import type { Rig } from './harness.ts';

/** The summary of window `index` since `startS`, without peers, so that it is small. */
export function smallSummary(index: number, overrides: Partial<Summary> = {}, startS = WINDOW_START_S): Summary {
  const start_unix_s = startS + index * 60;
  const window = { start: new Date(start_unix_s * 1000).toISOString(), start_unix_s, length_s: 60 };
  return buildSummary({ peers: [], window, ...overrides });
}

export interface ChainedDocument extends SignedDocument {
  sequence: number;
}

/** A document that is told its place in the chain. */
export type Link = (place: Pick<Summary, 'sequence' | 'prev'>) => Summary | ChainRecord;

/** The summary of window `index`. */
export function windowLink(index: number, overrides: Partial<Summary> = {}): Link {
  return (place) => smallSummary(index, { ...place, ...overrides });
}

/** A record, `atS` seconds after the first window begins. */
export function eventLink(what: RecordEvent, atS: number, overrides: Partial<ChainRecord> = {}): Link {
  return (place) => buildRecord(what, { at_unix_ms: (WINDOW_START_S + atS) * 1000, ...place, ...overrides });
}

/** Documents of both kinds, each naming the one before. */
export async function linkAll(key: SigningKey, links: readonly Link[], firstSequence = 1): Promise<ChainedDocument[]> {
  const chain: ChainedDocument[] = [];
  for (const link of links) {
    const sequence = firstSequence + chain.length;
    const document = link({ sequence, prev: chain.at(-1)?.digest ?? null });
    const kind = document.schema === 'popprobe.record/1' ? 'record' : 'summary';
    chain.push({ sequence, ...(await signDocument(document, key, kind)) });
  }
  return chain;
}

/** A chain of `n` documents of PoP `fra`, windows from `startS` on. */
export async function chainOf(
  key: TestKey,
  n: number,
  { firstSequence = 1, startS = WINDOW_START_S }: { firstSequence?: number; startS?: number } = {},
): Promise<ChainedDocument[]> {
  const chain: ChainedDocument[] = [];
  for (let index = 0; index < n; index += 1) {
    const sequence = firstSequence + index;
    const summary = smallSummary(index, { sequence, prev: chain.at(-1)?.digest ?? null }, startS);
    chain.push({ sequence, ...(await signDocument(summary, key)) });
  }
  return chain;
}

/** Stores documents of `fra` as the rig's collector would; not waiting for the disk makes thousands of them bearable. */
export async function storeAll(rig: Rig, documents: readonly SignedDocument[]): Promise<void> {
  const database = openDatabase(rig.file);
  database.pragma('synchronous = OFF');
  const store = new SqliteStore(database);
  const { kid, publicKey } = rig.keys.fra;
  const keyring = new Keyring([{ kid, publicKey, pop: 'fra' }]);
  for (const { octets, signature } of documents) {
    await store.accept(await verifyDocument(octets, signature, claimOf(signature, keyring)), 0);
  }
  await store.close();
}
