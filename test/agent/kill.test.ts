/** A real process is killed with SIGKILL while it seals: nothing that it had reported is lost, and the chain goes on. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { union } from '../../src/agent/number-ranges.ts';
import type { Head } from '../../src/agent/spool-file.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { oldestIn, open, temporaryFolder } from './spool-fixture.ts';

const CHILD = fileURLToPath(new URL('./seal-until-killed.js', import.meta.url));
const MAX_BYTES = 64 * 1024 * 1024;
/** Where the child's chain starts. */
const STARTED_S = 1_767_225_600;

/** Lets the child report `count` documents, kills it in the middle of the next ones, and returns all it reported. */
async function sealAndKill(folder: string, count: number, maxBytes = MAX_BYTES): Promise<Head[]> {
  const child = spawn(process.execPath, [CHILD, folder, String(maxBytes)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const reported: Head[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [sequence, digest = ''] = line.split(' ');
    reported.push({ sequence: Number(sequence), digest });
    if (reported.length === count) child.kill('SIGKILL');
  }
  expect(await closed).toEqual([null, 'SIGKILL']);
  return reported;
}

/** Delivers everything, and returns number, digest and predecessor of each document as its octets say. */
async function deliverAll(folder: string): Promise<(Head & { prev: string | null })[]> {
  const spool = await open(folder, MAX_BYTES);
  expect(spool.status().quarantined).toBe(0);
  const documents: (Head & { prev: string | null })[] = [];
  for (let document = await oldestIn(spool); document !== null; document = await oldestIn(spool)) {
    const { sequence, prev } = JSON.parse(Buffer.from(document.octets).toString());
    documents.push({ sequence, digest: digestOf(document.octets), prev });
    await spool.delivered(document.sequence);
  }
  const last = documents.at(-1);
  expect(spool.head).toEqual({ sequence: last?.sequence, digest: last?.digest, nextKid: 'k'.repeat(43) });
  return documents;
}

describe('kill -9 in the middle of sealing', () => {
  it('loses nothing that was reported, and one chain runs through all lives of the process', async () => {
    const folder = await temporaryFolder();
    const reported: Head[] = [];
    const stored: (Head & { prev: string | null })[] = [];
    for (const [life, count] of [1, 7, 20, 40, 3].entries()) {
      reported.push(...(await sealAndKill(folder, count)));
      // Every other life begins with an empty folder, where head.json alone remembers the chain.
      if (life % 2 === 0) stored.push(...(await deliverAll(folder)));
    }
    const asStored = new Map(stored.map(({ sequence, digest }) => [sequence, digest]));
    expect(reported.filter(({ sequence, digest }) => asStored.get(sequence) !== digest)).toEqual([]);
    for (const [index, document] of stored.entries()) {
      const before = stored[index - 1];
      expect(document.prev).toBe(before?.digest ?? null);
      expect(document.sequence).toBe(before === undefined ? document.sequence : before.sequence + 1);
    }
  });

  it('leaves no number without a document or a declared gap, when the spool is full all the time', async () => {
    const folder = await temporaryFolder();
    const room = 3 * 200_000 + 10_000;
    for (const count of [9, 2, 17, 5, 11, 1]) {
      const reported = await sealAndKill(folder, count, room);
      const spool = await open(folder, room);
      const accounted = spool.pendingGaps().flatMap(({ ranges }) => ranges);
      for (let next = spool.after(0); next !== null; next = spool.after(next)) accounted.push([next, next]);
      const last = spool.head?.sequence ?? 0;
      expect(last).toBeGreaterThanOrEqual(reported.at(-1)?.sequence ?? 0);
      expect(union([], accounted)).toEqual([[STARTED_S, last]]);
      expect(spool.status()).toMatchObject({ quarantined: 0 });
    }
  });
});
