/** Documents that share a commit: all of them are on the disk or none, except for those that fail by themselves. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { openDatabase } from '../../src/collector/store/database.ts';
import { GroupCommit } from '../../src/collector/store/group-commit.ts';

let folder: string;
let database: Database.Database;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'popprobe-group-'));
  database = openDatabase(join(folder, 'store.sqlite'));
  database.exec('CREATE TABLE number (n INTEGER PRIMARY KEY) STRICT');
});

afterEach(async () => {
  database.close();
  await rm(folder, { recursive: true });
});

/** Writes numbers, a negative one only by half: it fails after its row was written. */
function numbers(): GroupCommit<number, string> {
  const insert = database.prepare<[number]>('INSERT INTO number (n) VALUES (?)');
  return new GroupCommit(database, (n: number) => {
    insert.run(n);
    if (n < 0) throw new RangeError(`${n}`);
    return `wrote ${n}`;
  });
}

/** What another connection sees, which is what has been committed. */
function committed(): number[] {
  const reader = new Database(join(folder, 'store.sqlite'), { readonly: true });
  try {
    return reader
      .prepare<[], { n: number }>('SELECT n FROM number ORDER BY n')
      .all()
      .map(({ n }) => n);
  } finally {
    reader.close();
  }
}

/** How each task went, in words. */
async function outcomes(tasks: readonly Promise<string>[]): Promise<string[]> {
  const settled = await Promise.allSettled(tasks);
  return settled.map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)));
}

/** How many rows there were on the disk as each task was told that it is done: a number for each commit. */
async function rowsAfterEach(tasks: readonly Promise<string>[]): Promise<number[]> {
  const rows = await Promise.all(tasks.map(async (task) => [await task, committed().length] as const));
  return [...new Set(rows.map(([, count]) => count))];
}

describe('tasks that come at one time', () => {
  it('share a commit, and are told only after it', async () => {
    const group = numbers();
    const seen: number[][] = [];
    const tasks = [1, 2, 3].map(async (n) => {
      const result = await group.run(n, 1);
      seen.push(committed());
      return result;
    });
    expect(committed()).toEqual([]);
    expect(await outcomes(tasks)).toEqual(['wrote 1', 'wrote 2', 'wrote 3']);
    expect(seen).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it('of which one fails leave nothing of that one, and all of the others', async () => {
    const group = numbers();
    expect(await outcomes([1, -2, 3, 3, 4].map((n) => group.run(n, 1)))).toEqual([
      'wrote 1',
      expect.stringMatching(/^PopprobeError: .*RangeError: -2/),
      'wrote 3',
      expect.stringMatching(/^PopprobeError: .*UNIQUE/),
      'wrote 4',
    ]);
    expect(committed()).toEqual([1, 3, 4]);
  });

  it('all fail when SQLite rolls everything back, and nothing of them is there; the next go on', async () => {
    database.exec(`
      CREATE TRIGGER disk_full BEFORE INSERT ON number WHEN new.n = 13
      BEGIN SELECT RAISE (ROLLBACK, 'as when the disk is full'); END`);
    const group = numbers();
    const failed = await outcomes([1, 13, 2].map((n) => group.run(n, 1)));
    expect(failed).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(/^PopprobeError: .*disk is full/)));
    expect(committed()).toEqual([]);
    expect(await outcomes([4].map((n) => group.run(n, 1)))).toEqual(['wrote 4']);
    expect(committed()).toEqual([4]);
  });

  it('all fail when the commit is refused, and are not told otherwise before', async () => {
    // A foreign key that is checked at the commit: nothing before it fails.
    database.exec('CREATE TABLE child (n INTEGER REFERENCES number (n) DEFERRABLE INITIALLY DEFERRED) STRICT');
    const insert = database.prepare<[number]>('INSERT INTO child (n) VALUES (?)');
    const group = new GroupCommit(database, (n: number) => `wrote ${insert.run(n).changes}`);
    const failed = await outcomes([1, 2].map((n) => group.run(n, 1)));
    expect(failed).toEqual(Array.from({ length: 2 }, () => expect.stringMatching(/^PopprobeError: .*FOREIGN KEY/)));
    expect(database.prepare('SELECT * FROM child').all()).toEqual([]);
  });

  it('are no more in one commit than its limits, in tasks and in octets, and never none', async () => {
    const group = numbers();
    const { commitBytesMax, commitDocumentsMax, summaryBytesMax } = LIMITS;
    const many = Array.from({ length: commitDocumentsMax + 1 }, (_, n) => group.run(n, 1));
    expect(await rowsAfterEach(many)).toEqual([commitDocumentsMax, commitDocumentsMax + 1]);
    const before = committed().length;
    const large = [1000, 1001, 1002].map((n) => group.run(n, commitBytesMax / 2));
    expect(await rowsAfterEach(large)).toEqual([before + 2, before + 3]);
    const largest = [2000, 2001].map((n) => group.run(n, summaryBytesMax));
    expect(await rowsAfterEach(largest)).toEqual([before + 4, before + 5]);
  });
});
