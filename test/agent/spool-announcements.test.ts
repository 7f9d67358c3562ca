/** Announcements of keys stay in a spool that gives up everything else: without them the next key is a stranger's. */

import { rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentFileBytes, documentName, type SealedDocument } from '../../src/agent/spool-file.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { buildDocument, drain, open, recordingLog, temporaryFolder } from './spool-fixture.ts';

const padding = 'x'.repeat(400);
const one = documentFileBytes(buildDocument(1, padding));
const HOUR_S = 3600;

function announcement(sequence: number): SealedDocument {
  const event = { kind: 'key', kid: 'A'.repeat(43), x: 'B'.repeat(43) };
  const octets = Buffer.from(JSON.stringify({ schema: 'popprobe.record/1', sequence, prev: null, event }));
  return { sequence, octets, signature: `header..signature${sequence}` };
}

/** Appends this many documents, of which those with these numbers are announcements. */
async function fill(spool: Awaited<ReturnType<typeof open>>, from: number, to: number, keys: readonly number[]) {
  for (let sequence = from; sequence <= to; sequence += 1) {
    await spool.append(keys.includes(sequence) ? announcement(sequence) : buildDocument(sequence, padding));
  }
}

const given = (spool: Awaited<ReturnType<typeof open>>) =>
  spool.pendingGaps().map(({ reason, ranges }) => [reason, ranges]);

describe('an announcement of a key', () => {
  it('stays in a full spool, whose other documents go around it, over a restart as well', async () => {
    const folder = await temporaryFolder();
    const before = await open(folder, 4 * one);
    await fill(before, 1, 9, [2, 5]);
    const spool = await open(folder, 4 * one);
    await fill(spool, 10, 14, []);
    expect(spool.status().bytes).toBeLessThanOrEqual(4 * one);
    expect(given(spool)).toEqual([
      [
        'spool_full',
        [
          [1, 1],
          [3, 4],
          [6, 11],
        ],
      ],
    ]);
    expect(await drain(spool)).toEqual([2, 5, 12, 13, 14]);
  });

  it('stays however old it is, and says nothing of the age of the others', async () => {
    const folder = await temporaryFolder();
    const clocks = { wallMs: Date.now(), monoMs: 0 };
    const options = { maxAgeH: 24, nowMs: () => clocks.wallMs, monotonicMs: () => clocks.monoMs };
    const spool = await open(folder, 1_000_000, undefined, options);
    await fill(spool, 1, 3, [1]);
    const age = async (sequence: number, hours: number): Promise<void> => {
      const writtenS = clocks.wallMs / 1000 - hours * HOUR_S;
      await utimes(join(folder, documentName(sequence)), writtenS, writtenS);
    };
    await age(1, 30);
    await age(2, 30);
    await fill(spool, 4, 4, []);
    clocks.monoMs += LIMITS.spoolAgeGraceMs;
    await fill(spool, 5, 5, []);
    expect(given(spool)).toEqual([['too_old', [[2, 2]]]]);
    // It has been too old for an hour; the next document has not.
    await fill(spool, 6, 6, []);
    clocks.monoMs += LIMITS.spoolAgeGraceMs;
    await age(3, 25);
    await fill(spool, 7, 7, []);
    expect(spool.status().tooOld).toBe(1);
    clocks.monoMs += LIMITS.spoolAgeGraceMs;
    await fill(spool, 8, 8, []);
    expect(given(spool)).toEqual([['too_old', [[2, 3]]]]);
    expect(await drain(spool)).toEqual([1, 4, 5, 6, 7, 8]);
  });

  it('stays when nothing else is left to go, and documents are added all the same', async () => {
    const spool = await open(await temporaryFolder(), one);
    await fill(spool, 1, 5, [1, 2, 3]);
    expect(spool.status()).toMatchObject({ documents: 4, discarded: 1 });
    expect(await drain(spool)).toEqual([1, 2, 3, 5]);
  });

  it('goes like any other document when there are too many, until some of them have left', async () => {
    const kept = LIMITS.spoolAnnouncementsMax;
    const keys = Array.from({ length: kept + 4 }, (_, index) => index + 1);
    const { log, lines } = recordingLog();
    const spool = await open(await temporaryFolder(), one, log);
    await fill(spool, 1, kept + 2, keys);
    expect(given(spool)).toEqual([['spool_full', [[kept + 1, kept + 1]]]]);
    expect(lines.filter(({ msg }) => msg.includes('spool is full')).map(({ sequence }) => sequence)).toEqual([
      kept + 1,
    ]);
    await spool.delivered(1);
    await fill(spool, kept + 3, kept + 4, keys);
    expect(spool.status()).toMatchObject({ discarded: 2, documents: kept + 1 });
  });

  it('can be lost with its file, and be dropped by hand', async () => {
    const folder = await temporaryFolder();
    const spool = await open(folder, 2 * one);
    await fill(spool, 1, 6, [1, 2]);
    await rm(join(folder, documentName(1)));
    expect(await spool.drop([2])).toEqual([2]);
    expect((await drain(spool)).every((sequence) => sequence > 2)).toBe(true);
    expect(given(spool)).toMatchObject([
      ['spool_full', [[3, 5]]],
      ['damaged', [[1, 1]]],
      ['dropped', [[2, 2]]],
    ]);
  });
});
