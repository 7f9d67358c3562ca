/** A database of an older version is brought up to date, with everything in it. */

import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/collector/store/database.ts';
import { MIGRATIONS } from '../../src/collector/store/schema.ts';
import { SqliteStore } from '../../src/collector/store/sqlite-store.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { buildSummary, octetsOf, WINDOW_START_S } from '../protocol/summary-fixture.ts';

const INSERT = `
  INSERT INTO document (pop, sequence, boot_id, digest, prev, kid, window_start_s, window_length_s, received_at_ms,
    octets, signature)
  VALUES (:pop, :sequence, :boot_id, :digest, :prev, 'kid', :start, 60, 7, :octets, 'header..signature')`;

it('from version 1: the documents, their chain, and the holes in it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'popprobe-migrations-'));
  const file = join(folder, 'collector.sqlite');
  const old = new Database(file);
  old.exec(MIGRATIONS[0] ?? '');
  old.pragma('user_version = 1');
  const names: [string, number][] = [
    ['fra', 2],
    ['fra', 3],
    ['fra', 7],
    ['ams', 5],
  ];
  for (const [pop, sequence] of names) {
    const { boot_id, prev, window } = buildSummary({ pop, sequence });
    const octets = octetsOf(buildSummary({ pop, sequence }));
    const start = window.start_unix_s;
    old.prepare(INSERT).run({ pop, sequence, boot_id, digest: digestOf(octets), prev, start, octets });
    old.prepare(`INSERT INTO window_row VALUES (?, ?, ?, 60, 'periodic', 5, 3000, NULL)`).run(pop, sequence, start);
  }
  old.exec(`INSERT INTO pop_state VALUES ('fra', 3, 7, 7), ('ams', 1, 5, 7)`);
  old.close();

  const store = new SqliteStore(openDatabase(file));
  expect(await store.documentNames()).toEqual([
    { pop: 'ams', sequence: 5 },
    { pop: 'fra', sequence: 2 },
    { pop: 'fra', sequence: 3 },
    { pop: 'fra', sequence: 7 },
  ]);
  const octets = octetsOf(buildSummary({ pop: 'fra', sequence: 3 }));
  expect(await store.document('fra', 3)).toEqual({ octets, signature: 'header..signature' });
  const span = { pop: 'fra', fromS: 0, toS: WINDOW_START_S + 200, after: 0, limit: 9 };
  expect(await store.listDocuments(span)).toMatchObject([
    { sequence: 2, lengthS: 60, atMs: (WINDOW_START_S + 120) * 1000 },
    { sequence: 3, digest: digestOf(octets) },
  ]);
  expect(await store.listGaps('fra', 0, 9)).toEqual([{ from: 4, to: 6, declared: null }]);
  expect((await store.mesh()).map(({ pop, newest }) => [pop, newest?.sequence])).toEqual([
    ['ams', 5],
    ['fra', 7],
  ]);
  await store.close();
  await rm(folder, { recursive: true });
});
