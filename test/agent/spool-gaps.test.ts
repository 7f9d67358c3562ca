/** What a spool has given up is remembered until it was declared, over every crash in between. */

import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Spool } from '../../src/agent/spool.ts';
import { documentFileBytes, documentName } from '../../src/agent/spool-file.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { buildDocument, drain, oldestIn, open, recordingLog, spoolOf, temporaryFolder } from './spool-fixture.ts';

type Gap = ReturnType<Spool['pendingGaps']>[number];

const padding = 'x'.repeat(100);
const one = documentFileBytes(buildDocument(1, padding));
const gap = (reason: Gap['reason'], ...ranges: Gap['ranges']): Gap => ({ kind: 'gap', reason, ranges });

/** A spool with room for two documents to which these were appended. */
async function fullSpool(folder: string, last: number): Promise<Spool> {
  const spool = await open(folder, 2 * one);
  for (let sequence = 1; sequence <= last; sequence += 1) await spool.append(buildDocument(sequence, padding));
  return spool;
}

describe('a gap', () => {
  it('is what was given up because the spool is full, in runs', async () => {
    const folder = await temporaryFolder();
    const spool = await fullSpool(folder, 5);
    expect(spool.pendingGaps()).toEqual([gap('spool_full', [1, 3])]);
    expect(spool.status()).toMatchObject({ gapsPending: 3, gapsUndeclared: 0 });
    expect((await open(folder)).pendingGaps()).toEqual(spool.pendingGaps());
  });

  it('is what a collector refuses and what a person drops, each once and for its first reason', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1, 2, 3, 4, 5]);
    await spool.quarantine(2, 'HTTP 422');
    expect(await spool.drop([2, 4, 9])).toEqual([2, 4]);
    expect(spool.pendingGaps()).toEqual([gap('refused', [2, 2]), gap('dropped', [4, 4])]);
    expect(await drain(spool)).toEqual([1, 3, 5]);
    expect((await open(folder)).pendingGaps()).toEqual(spool.pendingGaps());
  });

  it('is forgotten when it was sealed, and what came meanwhile is not', async () => {
    const folder = await temporaryFolder();
    const spool = await fullSpool(folder, 4);
    const gaps = spool.pendingGaps();
    await spool.append(buildDocument(5, padding));
    await spool.quarantine(4, 'refused');
    await spool.gapsSealed(gaps);
    const left = [gap('spool_full', [3, 3]), gap('refused', [4, 4])];
    expect(spool.pendingGaps()).toEqual(left);
    const restarted = await open(folder);
    expect(restarted.pendingGaps()).toEqual(left);
    await restarted.gapsSealed(left);
    expect((await open(folder)).pendingGaps()).toEqual([]);
  });

  it('is not what waits all the same, because the agent was killed before its file was gone', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, documentName(2));
    const before = await spoolOf(folder, [1, 2, 3]);
    const content = await readFile(file);
    await before.drop([1, 2]);
    await writeFile(file, content);
    const spool = await open(folder);
    expect(spool.pendingGaps()).toEqual([gap('dropped', [1, 1])]);
    expect(await drain(spool)).toEqual([2, 3]);
    expect(spool.pendingGaps()).toEqual([gap('dropped', [1, 1])]);
    expect((await open(folder)).pendingGaps()).toEqual(spool.pendingGaps());
  });

  it('is declared anew when the record that has declared it is given up itself', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1, 2, 3, 4]);
    await spool.drop([1, 3]);
    const [dropped = gap('dropped')] = spool.pendingGaps();
    const octets = Buffer.from(
      JSON.stringify({ schema: 'popprobe.record/1', sequence: 5, prev: null, event: dropped }),
    );
    await spool.append({ sequence: 5, octets, signature: 'header..signature5' });
    await spool.gapsSealed([dropped]);
    await spool.quarantine(5, 'HTTP 422');
    expect(spool.pendingGaps()).toEqual([gap('refused', [5, 5]), gap('dropped', [1, 1], [3, 3])]);
    expect((await open(folder)).pendingGaps()).toEqual(spool.pendingGaps());
  });

  it('is no longer what was put back from the quarantine', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1, 2, 3]);
    for (const sequence of [1, 2]) await spool.quarantine(sequence, 'refused');
    expect(await spool.retry(1)).toBe('retried');
    expect(spool.pendingGaps()).toEqual([gap('refused', [2, 2])]);
    expect((await open(folder)).pendingGaps()).toEqual(spool.pendingGaps());
  });

  it('takes more records than one when there are very many, and is declared whole', async () => {
    const folder = await temporaryFolder();
    const last = 2 * LIMITS.gapRangesMax + 20;
    const spool = await spoolOf(
      folder,
      Array.from({ length: last }, (_, index) => index + 1),
    );
    const odd = Array.from({ length: last / 2 }, (_, index) => 2 * index + 1);
    await spool.drop(odd);
    const declared: number[] = [];
    for (let gaps = spool.pendingGaps(); gaps.length > 0; gaps = spool.pendingGaps()) {
      expect(gaps).toHaveLength(1);
      expect(gaps[0]?.ranges.length).toBeLessThanOrEqual(LIMITS.gapRangesMax);
      declared.push(...(gaps[0]?.ranges.map(([first]) => first) ?? []));
      await spool.gapsSealed(gaps);
    }
    expect(declared).toEqual(odd);
  });

  it('never covers what was delivered: what finds no room is counted', async () => {
    const folder = await temporaryFolder();
    const kept = LIMITS.gapRangesKeptMax;
    const odd = Array.from({ length: kept + 3 }, (_, index) => 2 * index + 1);
    const ranges = odd.slice(0, kept).map((number) => [number, number]);
    const gaps = { spool_full: [], too_old: [], damaged: [], refused: ranges, dropped: [] };
    await writeFile(join(folder, 'gaps.json'), JSON.stringify(gaps));
    const spool = await open(folder);
    const beyond = odd.slice(kept);
    for (const sequence of [...beyond, 2 * odd.length]) await spool.append(buildDocument(sequence));
    // The first one joins the last run that is known.
    await spool.append(buildDocument(2 * odd.length + 1));
    for (const sequence of beyond) await spool.quarantine(sequence, 'refused');
    expect(spool.status()).toMatchObject({ gapsPending: kept, gapsUndeclared: beyond.length });
  });

  it.each(['', '{}', 'torn', '{"spool_full":[[2,1]],"too_old":[],"damaged":[],"refused":[],"dropped":[]}'])(
    'cannot be read out of %j, which is set aside',
    async (content) => {
      const folder = await temporaryFolder();
      await spoolOf(folder, [1]);
      await writeFile(join(folder, 'gaps.json'), content);
      const { log, lines } = recordingLog();
      const spool = await open(folder, 1000, log);
      expect(lines.map(({ file }) => file)).toEqual(['gaps.json']);
      expect(spool.pendingGaps()).toEqual([]);
      expect(await drain(spool)).toEqual([1]);
    },
  );
});

describe('documents that have waited for too long', () => {
  const DAY_S = 86_400;
  const nowMs = Date.UTC(2026, 0, 31);

  /** A spool that keeps documents for a day, on clocks that the test moves, with documents of so many hours. */
  async function agedSpool(hours: readonly number[]) {
    const folder = await temporaryFolder();
    const sequences = hours.map((_, index) => index + 1);
    await spoolOf(folder, sequences);
    for (const [index, age] of hours.entries()) {
      const writtenS = nowMs / 1000 - age * 3600;
      await utimes(join(folder, documentName(index + 1)), writtenS, writtenS);
    }
    const clocks = { wallMs: nowMs, monoMs: 0 };
    const options = { maxAgeH: 24, nowMs: () => clocks.wallMs, monotonicMs: () => clocks.monoMs };
    const spool = await open(folder, 1_000_000, undefined, options);
    return { folder, clocks, spool, next: sequences.length + 1 };
  }

  it('go, the oldest first, once they have looked so for an hour', async () => {
    const { folder, clocks, spool, next } = await agedSpool([40, 30, 25, 23, 22]);
    await spool.append(buildDocument(next));
    clocks.monoMs += LIMITS.spoolAgeGraceMs - 1;
    await spool.append(buildDocument(next + 1));
    expect(spool.status()).toMatchObject({ documents: 7, tooOld: 0 });
    clocks.monoMs += 1;
    await spool.append(buildDocument(next + 2));
    expect(spool.status()).toMatchObject({ documents: 5, tooOld: 3, discarded: 0 });
    expect(spool.pendingGaps()).toEqual([gap('too_old', [1, 3])]);
    expect((await open(folder)).pendingGaps()).toEqual(spool.pendingGaps());
    expect(await drain(spool)).toEqual([4, 5, next, next + 1, next + 2]);
  });

  it('stay when it was the clock that was wrong', async () => {
    const { clocks, spool, next } = await agedSpool([2, 1]);
    clocks.wallMs += 365 * DAY_S * 1000;
    await spool.append(buildDocument(next));
    clocks.monoMs += LIMITS.spoolAgeGraceMs / 2;
    clocks.wallMs = nowMs;
    await spool.append(buildDocument(next + 1));
    clocks.monoMs += LIMITS.spoolAgeGraceMs;
    await spool.append(buildDocument(next + 2));
    expect(spool.status()).toMatchObject({ documents: 5, tooOld: 0 });
    expect(spool.pendingGaps()).toEqual([]);
  });
});

describe('a document of the quarantine', () => {
  it('is delivered in its order when it is to be tried again, and its reason is forgotten', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1, 2, 3]);
    await spool.quarantine(2, 'HTTP 422');
    const stop = new AbortController();
    const woken = spool.appended(stop.signal);
    expect(await spool.retry(2)).toBe('retried');
    await woken;
    expect(await drain(spool)).toEqual([1, 2, 3]);
    await expect(readFile(join(folder, 'quarantine', `${documentName(2)}.reason`))).rejects.toThrow('ENOENT');
  });

  it('stays there when it is not whole, or was never there', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1, 2]);
    await writeFile(join(folder, documentName(1)), 'torn');
    expect((await oldestIn(spool))?.sequence).toBe(2);
    expect(await spool.retry(1)).toBe('damaged');
    expect(await spool.retry(2)).toBe('waiting');
    expect(await spool.retry(7)).toBe('not_there');
    expect(await drain(spool)).toEqual([2]);
  });

  it('is deleted with its copies and reasons when it is dropped', async () => {
    const folder = await temporaryFolder();
    const spool = await spoolOf(folder, [1, 2]);
    await spool.quarantine(1, 'HTTP 422');
    await writeFile(join(folder, 'quarantine', `${documentName(1)}.1`), 'another');
    await writeFile(join(folder, 'quarantine', `${documentName(1)}.1.reason`), 'torn');
    expect(await spool.drop([1])).toEqual([1]);
    expect(await readdir(join(folder, 'quarantine'))).toEqual([]);
    expect(spool.status()).toMatchObject({ documents: 1, dropped: 1 });
    expect(await spool.drop([1])).toEqual([]);
  });
});
