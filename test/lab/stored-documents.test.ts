/** What is read out of a collector's store is what agents signed: everything else is refused, by the document's name. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Keyring } from '../../src/collector/keyring.ts';
import { openDatabase } from '../../src/collector/store/database.ts';
import { SqliteStore } from '../../src/collector/store/sqlite-store.ts';
import { claimOf, verifyDocument } from '../../src/collector/verify.ts';
import { readStoredDocuments } from '../../src/lab/stored-documents.ts';
import { refusalOf } from '../protocol/refusal.ts';
import {
  buildKey,
  buildSummary,
  octetsOf,
  signDocument,
  type SignedDocument,
  type TestKey,
} from '../protocol/summary-fixture.ts';

let folder: string;
let file: string;
let keys: { ams: TestKey; fra: TestKey };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popprobe-stored-'));
  file = join(folder, 'collector.db');
  keys = { ams: await buildKey(), fra: await buildKey() };
  await collect([await signed('fra', 2, null), await signed('ams', 1, null), await signed('fra', 1, null)]);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function keyring(): Keyring {
  return new Keyring([
    { kid: keys.ams.kid, pop: 'ams', publicKey: keys.ams.publicKey },
    { kid: keys.fra.kid, pop: 'fra', publicKey: keys.fra.publicKey },
  ]);
}

/** The second document of a PoP names its first as the one before. */
async function signed(pop: 'ams' | 'fra', sequence: number, prev: string | null): Promise<SignedDocument> {
  const before = sequence > 1 ? (await signed(pop, sequence - 1, null)).digest : prev;
  return await signDocument(buildSummary({ pop, sequence, prev: before }), keys[pop]);
}

/** Stores documents as a collector does, and closes the store as it does when it stops. */
async function collect(documents: readonly SignedDocument[]): Promise<void> {
  const store = new SqliteStore(openDatabase(file));
  for (const { octets, signature } of documents) {
    await store.accept(await verifyDocument(octets, signature, claimOf(signature, keyring())), 0);
  }
  await store.close();
}

/** Changes the file behind the collector's back. */
function tamper(sql: string, ...values: unknown[]): void {
  const database = new Database(file);
  database.prepare(sql).run(...values);
  database.close();
}

describe('reading the documents of a store', () => {
  it('gives all of them by PoP and number, with what is compared', async () => {
    const documents = await readStoredDocuments(file, keyring());
    expect(documents.map(({ pop, sequence }) => [pop, sequence])).toEqual([
      ['ams', 1],
      ['fra', 1],
      ['fra', 2],
    ]);
    const [, first, second] = documents;
    expect(first?.digest).toBe((await signed('fra', 1, null)).digest);
    expect(second?.prev).toBe(first?.digest);
    const { window, parameters, peers } = buildSummary({ pop: 'fra', sequence: 2 });
    expect(second).toMatchObject({ window, parameters });
    const compared = peers.map(({ peer, seconds, paths }) => ({
      peer,
      seconds,
      paths: paths.map(({ kind, interval_ms, counts, refused_by_errno, rtt }) => {
        return { kind, interval_ms, counts, refused_by_errno, rtt };
      }),
    }));
    expect(second).toMatchObject({ kind: 'summary', peers: compared });
  });

  it('leaves the file as it is', async () => {
    const before = await readFile(file);
    await readStoredDocuments(file, keyring());
    expect((await readFile(file)).equals(before)).toBe(true);
  });

  it('refuses octets that are not those signed', async () => {
    const octets = octetsOf(buildSummary({ pop: 'fra', sequence: 2, peers: [] }));
    tamper("UPDATE document SET octets = ? WHERE pop = 'fra' AND sequence = 2", octets);
    expect(await refusalOf(() => readStoredDocuments(file, keyring()))).toMatchObject({
      code: 'bad_signature',
      found: expect.stringContaining('(document 2 of fra)') as unknown,
    });
  });

  it('refuses what another PoP has signed, and what nobody has', async () => {
    const { octets, signature } = await signDocument(buildSummary({ pop: 'ams', sequence: 1 }), keys.fra);
    tamper("UPDATE document SET octets = ?, signature = ? WHERE pop = 'ams'", octets, signature);
    expect(await refusalOf(() => readStoredDocuments(file, keyring()))).toMatchObject({
      code: 'key_not_for_pop',
      found: expect.stringContaining('(document 1 of ams)') as unknown,
    });
    const alone = new Keyring([{ kid: keys.ams.kid, pop: 'ams', publicKey: keys.ams.publicKey }]);
    expect((await refusalOf(() => readStoredDocuments(file, alone))).code).toBe('unknown_key');
  });

  it('refuses a file that is not there, without making one', async () => {
    const missing = join(folder, 'other.db');
    expect((await refusalOf(() => readStoredDocuments(missing, keyring()))).code).toBe('store_unusable');
    await expect(readFile(missing)).rejects.toThrow('ENOENT');
  });

  it('refuses a database of another version', async () => {
    tamper('PRAGMA user_version = 99');
    expect(await refusalOf(() => readStoredDocuments(file, keyring()))).toMatchObject({
      code: 'store_unusable',
      found: `version 99 in ${file}`,
    });
  });
});
