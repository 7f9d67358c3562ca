/** The SQLite store where HTTP does not reach: opening bad files, other writers, and all or nothing. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/collector/store/database.ts';
import { MIGRATIONS } from '../../src/collector/store/schema.ts';
import { SqliteStore } from '../../src/collector/store/sqlite-store.ts';
import type { VerifiedDocument } from '../../src/collector/verify.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildPeer, buildSummary, octetsOf, WINDOW_START_S } from '../protocol/summary-fixture.ts';

const REFLECTED = { class: 'best-effort', family: 'ipv4' as const, flow: 0, received: 600, replied: 599 };

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popprobe-store-'));
  file = join(folder, 'store.sqlite');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A document as verification hands it on; the signature is not the store's business. */
function verified(overrides: Partial<Summary> = {}): VerifiedDocument {
  const summary = buildSummary(overrides);
  const octets = octetsOf(summary);
  return { kind: 'summary', summary, octets, signature: 'header..signature', kid: 'kid', digest: digestOf(octets) };
}

describe('opening', () => {
  it('asks SQLite for durable commits', () => {
    const database = openDatabase(file);
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
    database.close();
  });

  it('refuses a file that is no database, without touching it', async () => {
    await writeFile(file, 'not a database '.repeat(1000));
    const refusal = await refusalOf(() => openDatabase(file));
    expect([refusal.code, refusal.found]).toEqual(['store_unusable', 'SQLITE_NOTADB: file is not a database']);
  });

  it('refuses a folder that does not exist', async () => {
    expect((await refusalOf(() => openDatabase(join(folder, 'no', 'store.sqlite')))).code).toBe('store_unusable');
  });

  it('refuses a database of a newer version', async () => {
    const database = openDatabase(file);
    database.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    database.close();
    expect(await refusalOf(() => openDatabase(file))).toMatchObject({
      code: 'store_unusable',
      found: `version ${MIGRATIONS.length + 1} in ${file}`,
    });
  });
});

describe('accepting', () => {
  it('leaves nothing behind when one of the rows cannot be written', async () => {
    const database = openDatabase(file);
    const store = new SqliteStore(database);
    // Two rows of one path: verification refuses such a document, so only a fault of ours could bring it here.
    const [path] = buildPeer('ams').paths;
    if (path === undefined) throw new Error('a path expected');
    const peer = buildPeer('ams', { paths: [path, path], reflected: [REFLECTED] });
    const twice = verified({ peers: [buildPeer('par', { reflected: [REFLECTED] }), peer] });
    const refusal = await refusalOf(() => store.accept(twice, 0));
    expect([refusal.code, refusal.found]).toEqual(['store_unusable', expect.stringContaining('UNIQUE')]);
    for (const table of [
      'document',
      'chain_row',
      'pop_state',
      'window_row',
      'peer_row',
      'minute_row',
      'reflected_row',
    ]) {
      expect(database.prepare(`SELECT * FROM ${table}`).all()).toEqual([]);
    }
    expect(await store.accept(verified(), 0)).toEqual({ status: 'accepted', order: 'next' });
    await store.close();
  });

  it('gives up when another process holds the database, and succeeds when it lets go', async () => {
    const database = openDatabase(file);
    database.pragma('busy_timeout = 1');
    const store = new SqliteStore(database);
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    expect(await refusalOf(() => store.accept(verified(), 0))).toMatchObject({ code: 'store_unusable' });
    other.exec('ROLLBACK');
    expect(await store.accept(verified(), 0)).toEqual({ status: 'accepted', order: 'next' });
    other.close();
    await store.close();
  });

  it('gives the same tables in every order of arrival', async () => {
    const chain: VerifiedDocument[] = [];
    const peers = [buildPeer('ams', { reflected: [REFLECTED, { ...REFLECTED, flow: 1 }] }), buildPeer('par')];
    for (const sequence of [1, 2, 3, 4]) chain.push(verified({ sequence, prev: chain.at(-1)?.digest ?? null, peers }));
    const tablesAfter = async (arrivals: readonly VerifiedDocument[]): Promise<unknown[]> => {
      const database = openDatabase(':memory:');
      const store = new SqliteStore(database);
      for (const document of arrivals) await store.accept(document, 7);
      const rows = [
        'document ORDER BY pop, sequence',
        'pop_state ORDER BY pop',
        'window_row ORDER BY pop, sequence',
        'peer_row ORDER BY pop, sequence, peer',
        'reflected_row ORDER BY pop, sequence, peer, class, family, flow',
        'minute_row ORDER BY pop, sequence, peer, class, flow',
      ].map((table) => database.prepare(`SELECT * FROM ${table}`).all());
      await store.close();
      return rows;
    };
    const expected = await tablesAfter(chain);
    const arrivals = fc.shuffledSubarray(chain, { minLength: chain.length });
    const again = fc.subarray(chain);
    await fc.assert(
      fc.asyncProperty(arrivals, again, async (first, repeated) => {
        expect(await tablesAfter([...first, ...repeated])).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

describe('reading', () => {
  it('gives the window of the highest sequence number, also when an older document arrives later', async () => {
    const store = new SqliteStore(openDatabase(file));
    await store.accept(verified({ sequence: 5, peers: [buildPeer('par')] }), 1000);
    await store.accept(verified({ sequence: 2, peers: [buildPeer('ams')] }), 2000);
    const [state] = await store.mesh();
    expect(state).toMatchObject({ pop: 'fra', documents: 2, lastSequence: 5, lastAcceptedMs: 2000 });
    expect(state?.newest).toMatchObject({ sequence: 5, windowStartS: WINDOW_START_S + 300, windowLengthS: 60 });
    expect(state?.newest?.peers.map(({ peer, paths }) => [peer, paths.length])).toEqual([['par', 5]]);
    await store.close();
  });

  it('names every document, by PoP and number', async () => {
    const store = new SqliteStore(openDatabase(file));
    for (const [pop, sequence] of [
      ['par', 10],
      ['fra', 9],
      ['par', 2],
    ] as const) {
      await store.accept(verified({ pop, sequence }), 0);
    }
    expect(await store.documentNames()).toEqual([
      { pop: 'fra', sequence: 9 },
      { pop: 'par', sequence: 2 },
      { pop: 'par', sequence: 10 },
    ]);
    await store.close();
  });

  it('gives back the evidence octet for octet', async () => {
    const store = new SqliteStore(openDatabase(file));
    const { octets, signature, ...rest } = verified();
    await store.accept({ octets, signature, ...rest }, 0);
    expect(await store.document('fra', 1)).toEqual({ octets, signature });
    expect(await store.document('fra', 2)).toBeNull();
    expect(await store.document('ams', 1)).toBeNull();
    await store.close();
  });
});
