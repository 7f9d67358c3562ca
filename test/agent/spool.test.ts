/** The spool while the agent runs: order, durability of the files, the bound, the quarantine, a disk that refuses. */

import { createHash } from 'node:crypto';
import { mkdir, open as openFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { documentFileBytes, documentName } from '../../src/agent/spool-file.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildStatus } from './status-fixture.ts';
import {
  buildDocument,
  drain,
  oldestIn,
  open,
  quarantined,
  recordingLog,
  spoolOf,
  temporaryFolder,
} from './spool-fixture.ts';

describe('a spool', () => {
  it('gives documents back oldest first, with the octets and the line that were put in', async () => {
    const spool = await spoolOf(await temporaryFolder(), [3, 4, 10]);
    expect(await oldestIn(spool)).toEqual(buildDocument(3));
    expect(await drain(spool)).toEqual([3, 4, 10]);
    expect(await oldestIn(spool)).toBeNull();
  });

  it('gives any document that waits, and moves one that went bad out of the way', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [3, 4, 10]);
    expect(spool.waiting).toEqual({ count: 3, oldest: 3, newest: 10 });
    expect(await spool.read(10)).toEqual(buildDocument(10));
    expect(await spool.read(5)).toBeNull();
    await writeFile(join(folder, documentName(10)), 'torn');
    expect(await spool.read(10)).toBeNull();
    expect(spool.waiting).toEqual({ count: 2, oldest: 3, newest: 4 });
    await drain(spool);
    expect(await spool.read(4)).toBeNull();
    expect(spool.waiting).toEqual({ count: 0, oldest: null, newest: null });
  });

  it('says which document waits behind a number, and how large its file is', async () => {
    const spool = await spoolOf(await temporaryFolder(), [3, 4, 10]);
    expect([0, 3, 4, 9].map((sequence) => spool.after(sequence))).toEqual([3, 4, 10, 10]);
    expect(spool.bytesOf(10)).toBe(documentFileBytes(buildDocument(10)));
    expect(spool.after(10)).toBeNull();
  });

  it('writes a line of signature and digest, then the exact octets, readable by the owner only', async () => {
    const folder = await temporaryFolder();
    await spoolOf(folder, [7]);
    const path = join(folder, '0000000000000007.jws');
    const octets = '{"sequence":7,"prev":null,"padding":""}';
    const digest = createHash('sha256').update(octets).digest('base64url');
    expect(await readFile(path, 'utf8')).toBe(`header..signature7 ${digest}\n${octets}`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('replaces head.json as a whole: whoever has the old one open still reads it', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1]);
    const before = await openFile(join(folder, 'head.json'));
    onTestFinished(() => before.close());
    await spool.append(buildDocument(2));
    expect(JSON.parse(await before.readFile('utf8')).sequence).toBe(1);
    expect(JSON.parse(await readFile(join(folder, 'head.json'), 'utf8')).sequence).toBe(2);
  });

  it('creates its folder for the owner only, with the folders above it', async () => {
    const folder = join(await temporaryFolder(), 'state', 'spool');
    const spool = await open(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(spool.head).toBeNull();
    expect(spool.status()).toEqual(buildStatus().spool);
  });

  it('counts documents and octets as they are on disk', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1, 2]);
    const sizes = await Promise.all([1, 2].map(async (n) => (await stat(join(folder, documentName(n)))).size));
    expect(spool.status()).toMatchObject({ documents: 2, bytes: sizes.reduce((a, b) => a + b) });
    expect((await open(folder)).status()).toMatchObject({ documents: 2, bytes: spool.status().bytes });
    await drain(spool);
    expect(spool.status()).toMatchObject({ documents: 0, bytes: 0 });
  });

  it('refuses a sequence number that does not rise, and keeps the document that has it', async () => {
    const spool = await spoolOf(await temporaryFolder(), [5]);
    const error = await refusalOf(() => spool.append(buildDocument(5, 'another')));
    expect(error).toMatchObject({ code: 'chain_conflict', expected: 'a sequence number above 5', found: '5' });
    expect(await oldestIn(spool)).toEqual(buildDocument(5));
  });

  it('wakes who waits for a document with the append, and at once when told to stop', async () => {
    const spool = await open(await temporaryFolder());
    const stop = new AbortController();
    const woken = spool.appended(stop.signal);
    await spool.append(buildDocument(1));
    await expect(woken).resolves.toBeUndefined();
    const stopped = spool.appended(stop.signal);
    stop.abort();
    await expect(stopped).resolves.toBeUndefined();
    await expect(spool.appended(stop.signal)).resolves.toBeUndefined();
  });

  it('keeps the order of appends that were not waited for', async () => {
    const spool = await open(await temporaryFolder());
    await Promise.all([1, 2, 3, 4, 5].map((sequence) => spool.append(buildDocument(sequence))));
    expect(await drain(spool)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('the bound', () => {
  const padding = 'x'.repeat(100);
  const one = documentFileBytes(buildDocument(1, padding));

  it('gives up the oldest documents first, counts them and says which', async () => {
    const { log, lines } = recordingLog();
    const spool = await open(await temporaryFolder(), 3 * one, log);
    for (const sequence of [1, 2, 3, 4, 5]) await spool.append(buildDocument(sequence, padding));
    expect(spool.status()).toMatchObject({ documents: 3, bytes: 3 * one, discarded: 2 });
    expect(lines.filter((line) => line.msg.includes('spool is full')).map((line) => line['sequence'])).toEqual([1, 2]);
    expect(await drain(spool)).toEqual([3, 4, 5]);
  });

  it('holds for what a longer spool left behind, with the next append', async () => {
    const folder = await temporaryFolder();
    const longer = await open(folder);
    for (const sequence of [1, 2, 3]) await longer.append(buildDocument(sequence, padding));
    const spool = await open(folder, 2 * one);
    await spool.append(buildDocument(4, padding));
    expect(await drain(spool)).toEqual([3, 4]);
  });

  it('refuses a document that would not fit into an empty spool, and gives up nothing for it', async () => {
    const spool = await open(await temporaryFolder(), 2 * one);
    await spool.append(buildDocument(1, padding));
    const error = await refusalOf(() => spool.append(buildDocument(2, padding.repeat(5))));
    expect(error.code).toBe('spool_unusable');
    expect(spool.status()).toMatchObject({ documents: 1, discarded: 0 });
  });

  it('tolerates the delivery and the refusal of a document it has given up', async () => {
    const spool = await open(await temporaryFolder(), one);
    await spool.append(buildDocument(1, padding));
    await spool.append(buildDocument(2, padding));
    await spool.delivered(1);
    await spool.quarantine(1, 'refused');
    expect(spool.status()).toMatchObject({ documents: 1, quarantined: 0 });
  });
});

describe('the quarantine', () => {
  it('takes a refused document unchanged, with the reason beside it, and the next one is up', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1, 2]);
    const content = await readFile(join(folder, documentName(1)));
    await spool.quarantine(1, 'HTTP 422 schema: no');
    expect(await quarantined(folder)).toEqual({ '0000000000000001.jws': 'HTTP 422 schema: no\n' });
    expect(await readFile(join(folder, 'quarantine', documentName(1)))).toEqual(content);
    expect((await oldestIn(spool))?.sequence).toBe(2);
    expect(spool.status()).toMatchObject({ documents: 1, quarantined: 1 });
  });

  it('is not delivered from after a restart', async () => {
    const folder = await temporaryFolder();
    await (await spoolOf(folder, [1])).quarantine(1, 'refused');
    const spool = await open(folder);
    expect(await oldestIn(spool)).toBeNull();
    expect(spool.head?.sequence).toBe(1);
  });

  it('takes a document that goes bad, or goes away, while it waits', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1, 2, 3]);
    await writeFile(join(folder, documentName(1)), Buffer.alloc(500));
    await rm(join(folder, documentName(2)));
    expect((await oldestIn(spool))?.sequence).toBe(3);
    expect(spool.status()).toMatchObject({ documents: 1, quarantined: 1, lost: 1 });
    expect(spool.pendingGaps()).toEqual([{ kind: 'gap', reason: 'damaged', ranges: [[1, 2]] }]);
  });
});

describe('a disk that refuses', () => {
  it('is an error with its errno at opening', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    const error = await refusalOf(() => open(join(file, 'spool')));
    expect(error).toMatchObject({ code: 'spool_unusable', found: 'ENOTDIR' });
  });

  it('is an error with its errno at the append, after which the same number is free and the spool works on', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1]);
    await spool.delivered(1);
    // A file in its place: the folder cannot be made anew.
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    const error = await refusalOf(() => spool.append(buildDocument(2)));
    expect(error).toMatchObject({ code: 'spool_unusable', found: 'EEXIST' });
    expect(spool.head).toEqual({ sequence: 1, digest: digestOf(buildDocument(1).octets) });
    await rm(folder);
    await spool.append(buildDocument(2, 'again'));
    expect(await oldestIn(spool)).toEqual(buildDocument(2, 'again'));
  });

  it('does not leave half-written files behind', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1]);
    // A folder of the document's own name makes the rename fail after everything was written.
    await mkdir(join(folder, documentName(2)));
    expect((await refusalOf(() => spool.append(buildDocument(2)))).code).toBe('spool_unusable');
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
