/** A spool whose numbers are so far apart that memory does not list them all: nothing of it is lost or told wrong. */

import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BLOCK_NUMBERS } from '../../src/agent/number-block.ts';
import type { Spool } from '../../src/agent/spool.ts';
import { documentFileBytes, documentName, encodeDocument } from '../../src/agent/spool-file.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { buildDocument, drain, open, recordingLog, silentLog, temporaryFolder } from './spool-fixture.ts';

const BLOCKS_MAX = LIMITS.spoolIndexBlocksMax;
/** One in each block, and more of them than are listed at a time. */
const FAR = Array.from({ length: BLOCKS_MAX + 300 }, (_, index) => (index + 1) * BLOCK_NUMBERS);
const MIDDLE_AT = FAR.length >>> 1;
const MIDDLE = FAR[MIDDLE_AT] ?? 0;
const LAST = FAR.at(-1) ?? 0;

/** As an agent leaves it that was killed before head.json was written. */
async function sparseFolder(): Promise<string> {
  const folder = join(await temporaryFolder(), 'spool');
  await mkdir(folder);
  for (const sequence of FAR) {
    await writeFile(join(folder, documentName(sequence)), Buffer.concat(encodeDocument(buildDocument(sequence))));
  }
  return folder;
}

const bytesOf = (sequences: readonly number[]): number =>
  sequences.reduce((bytes, sequence) => bytes + documentFileBytes(buildDocument(sequence)), 0);

const declared = (spool: Spool) => spool.pendingGaps().map(({ reason, ranges }) => [reason, ranges.length]);

describe('documents that memory does not list', () => {
  it('are counted, said once, and delivered in their order', async () => {
    const { log, lines } = recordingLog();
    const spool = await open(await sparseFolder(), 1_000_000, log);
    expect(spool.head?.sequence).toBe(LAST);
    expect(spool.waiting).toEqual({ count: FAR.length, oldest: FAR[0], newest: LAST });
    const unlisted = FAR.length - BLOCKS_MAX;
    expect(spool.status()).toMatchObject({ documents: FAR.length, bytes: bytesOf(FAR), unlisted });
    expect(await drain(spool)).toEqual(FAR);
    expect(spool.status()).toMatchObject({ documents: 0, bytes: 0, unlisted: 0, lost: 0 });
    expect(lines.map(({ level, documents }) => [level, documents])).toEqual([
      [40, unlisted],
      [30, undefined],
    ]);
  });

  it('go in their turn when the spool is full, before any newer one', async () => {
    const folder = await sparseFolder();
    const next = LAST + 1;
    // Fewer than are listed behind those that are not.
    const staying = [...FAR.slice(-400), next];
    const spool = await open(folder, bytesOf(staying));
    await spool.append(buildDocument(next));
    const discarded = FAR.length - 400;
    expect(spool.status()).toMatchObject({ documents: 401, discarded, bytes: bytesOf(staying) });
    expect(await drain(spool)).toEqual(staying);
  });

  it('can be read, refused and dropped, and wait no more then', async () => {
    const folder = await sparseFolder();
    const spool = await open(folder);
    const [one, two, three, four] = FAR.slice(MIDDLE_AT, MIDDLE_AT + 4);
    expect(await spool.read(MIDDLE)).toEqual(buildDocument(MIDDLE));
    expect(await spool.read(MIDDLE + 1)).toBeNull();
    expect(await spool.retry(MIDDLE)).toBe('waiting');
    expect(await spool.drop([one ?? 0, MIDDLE + 1])).toEqual([one]);
    await spool.quarantine(two ?? 0, 'HTTP 422');
    await spool.delivered(three ?? 0);
    await spool.quarantine(four ?? 0, 'HTTP 422');
    expect(await spool.retry(four ?? 0)).toBe('retried');
    const left = FAR.filter((sequence) => ![one, two, three].includes(sequence));
    expect(spool.status()).toMatchObject({ documents: left.length, bytes: bytesOf(left), undeleted: 0 });
    expect(await drain(spool)).toEqual(left);
    expect(declared(spool)).toEqual([
      ['refused', 1],
      ['dropped', 1],
    ]);
  });

  it('are not declared as given up while nobody knows that they do not wait', async () => {
    const folder = await sparseFolder();
    const ranges = [[MIDDLE, MIDDLE + 1]];
    const gaps = { spool_full: [], too_old: [], damaged: [], refused: [], dropped: ranges };
    await writeFile(join(folder, 'gaps.json'), JSON.stringify(gaps));
    const spool = await open(folder);
    expect(spool.pendingGaps()).toEqual([]);
    await drain(spool);
    expect(spool.pendingGaps()).toEqual([{ kind: 'gap', reason: 'dropped', ranges: [[MIDDLE + 1, MIDDLE + 1]] }]);
  });

  it('are counted as lost when their files are gone', async () => {
    const folder = await sparseFolder();
    const spool = await open(folder);
    for (const sequence of [MIDDLE, MIDDLE + BLOCK_NUMBERS]) await rm(join(folder, documentName(sequence)));
    expect(await drain(spool)).toHaveLength(FAR.length - 2);
    expect(spool.status()).toMatchObject({ documents: 0, bytes: 0, lost: 2 });
  });

  it('are looked through for the head of the chain, when all that are listed behind them are torn', async () => {
    const folder = await sparseFolder();
    for (const sequence of FAR.slice(MIDDLE_AT + 1)) await writeFile(join(folder, documentName(sequence)), 'torn');
    const spool = await open(folder, 1_000_000, silentLog);
    expect(spool.head?.sequence).toBe(MIDDLE);
    expect(await drain(spool)).toEqual(FAR.slice(0, MIDDLE_AT + 1));
  });

  it('are no documents that were delivered already, which the disk does not let go', async () => {
    const folder = await sparseFolder();
    const spool = await open(folder);
    // The first one behind those that are not listed.
    const at = (BLOCKS_MAX >>> 1) + 300;
    const stuck = FAR[at] ?? 0;
    expect(spool.after(FAR[(BLOCKS_MAX >>> 1) - 1] ?? 0)).toBe(stuck);
    // A folder in its place makes its deletion fail, and nothing else.
    await rm(join(folder, documentName(stuck)));
    await mkdir(join(folder, documentName(stuck), 'folder'), { recursive: true });
    await spool.delivered(stuck);
    const added = Array.from({ length: 8 }, (_, index) => LAST + (index + 1) * BLOCK_NUMBERS);
    for (const sequence of added) await spool.append(buildDocument(sequence));
    expect(spool.after(stuck)).toBeGreaterThan(FAR[at + 1] ?? 0);
    expect(await drain(spool)).toEqual([...FAR.filter((sequence) => sequence !== stuck), ...added]);
    expect(spool.status()).toMatchObject({ documents: 0, bytes: 0, quarantined: 0, lost: 0 });
  });

  it('are lost with a folder that is deleted, and the chain goes on', async () => {
    const folder = await sparseFolder();
    const spool = await open(folder);
    await rm(folder, { recursive: true });
    await spool.append(buildDocument(LAST + 1));
    expect(spool.status()).toMatchObject({ documents: 1, unlisted: 0, lost: FAR.length });
    expect(await drain(spool)).toEqual([LAST + 1]);
  });
});

describe('octets of a spool whose files change under it', () => {
  it('are those on the disk again when these are gone', async () => {
    const folder = await temporaryFolder();
    const spool = await open(folder);
    const all = Array.from({ length: 6 }, (_, index) => BLOCK_NUMBERS - 3 + index);
    for (const sequence of all) await spool.append(buildDocument(sequence, 'x'.repeat(100)));
    const [first = 0, second = 0, third = 0, ...others] = all;
    await truncate(join(folder, documentName(first)), 10);
    await writeFile(join(folder, documentName(second)), Buffer.alloc(5000));
    await rm(join(folder, documentName(third)));
    for (const sequence of [first, second, third]) expect(await spool.read(sequence)).toBeNull();
    const bytes = others.reduce((sum, each) => sum + documentFileBytes(buildDocument(each, 'x'.repeat(100))), 0);
    expect(spool.status()).toMatchObject({ documents: 3, bytes, quarantined: 2, lost: 1 });
  });
});
