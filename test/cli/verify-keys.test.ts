/** Evidence over a change of keys: announced or not, and with the key before revoked, by the product's own documents. */

import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DocumentQueue } from '../../src/agent/document-queue.ts';
import { Sealer } from '../../src/agent/seal.ts';
import { documentName, encodeDocument } from '../../src/agent/spool-file.ts';
import { unvouched } from '../../src/cli/vouched.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import { oldestIn, open } from '../agent/spool-fixture.ts';
import { bodyOf } from '../agent/summary-body.ts';
import { smallSummary } from '../collector/stored-chain.ts';
import { buildKey, type TestKey, WINDOW_START_S } from '../protocol/summary-fixture.ts';
import { fileByHand, verified, writePublicKey } from './evidence-fixture.ts';

/** Number of the first document: the second in which the chain begins, amid the third window. */
const FIRST = WINDOW_START_S + 150;
/** About what a window takes in the spool. */
const WINDOW_BYTES = 2000;

let base: string;
let folder: string;
let old: TestKey;
let next: TestKey;
let oldFile: string;
let nextFile: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'popprobe-verify-keys-'));
  [old, next] = [await buildKey(), await buildKey()];
  oldFile = await writePublicKey(base, 'old', old);
  nextFile = await writePublicKey(base, 'next', next);
});

afterAll(async () => {
  await rm(base, { recursive: true });
});

beforeEach(async () => {
  folder = await mkdtemp(join(base, 'spool-'));
});

const fileOf = (index: number): string => join(folder, documentName(FIRST + index));

async function documentIn(file: string): Promise<Summary> {
  const content = await readFile(file, 'utf8');
  return JSON.parse(content.slice(content.indexOf('\n') + 1)) as Summary;
}

/** Three windows by the old key, its announcement of the next, and three windows by that. */
async function sealOverChange(): Promise<void> {
  const { pop, boot_id, software } = smallSummary(0);
  const sealer = new Sealer(await open(folder), old, () => FIRST, { pop, boot_id, software });
  for (let window = 0; window < 6; window += 1) {
    if (window === 3) await sealer.use({ key: old, next });
    await sealer.seal(bodyOf(smallSummary(window)));
  }
}

describe('a change of keys', () => {
  beforeEach(sealOverChange);

  it('is valid with both keys, and says who signs from where on', async () => {
    const { isValid, lines } = await verified([folder], { key: [oldFile, nextFile], pop: 'fra' });
    expect(isValid).toBe(true);
    const from = FIRST + 4;
    expect(lines).toContain(
      `note: fra: from document ${from} on key ${next.kid} signs, as key ${old.kid} had announced`,
    );
  });

  it('is not valid without its announcement, nor without one of the keys', async () => {
    expect((await verified([folder], { key: [nextFile], pop: 'fra' })).codes).toContain('unknown_key');
    await rm(fileOf(3));
    const { codes } = await verified([folder], { key: [oldFile, nextFile], pop: 'fra' });
    expect(codes.toSorted()).toEqual(['documents_missing', 'key_unannounced']);
  });

  it('is not valid when the announcement is not signed by the key before', async () => {
    const { x = '' } = next.publicKey.export({ format: 'jwk' });
    const record = await documentIn(fileOf(3));
    expect(record).toMatchObject({ event: { kind: 'key', kid: next.kid, x } });
    await writeFile(fileOf(3), fileByHand(record, next, { typ: 'popprobe-record+jws' }));
    const { codes } = await verified([folder], { key: [oldFile, nextFile], pop: 'fra' });
    expect(codes).toEqual(['key_unannounced']);
  });
});

describe('a change of keys while the collector is away for longer than the spool lasts', () => {
  const silent = pino({ level: 'silent' });

  it('is valid: its announcement outlives what was given up around it', async () => {
    const { pop, boot_id, software } = smallSummary(0);
    const [evidence, directory] = [join(folder, 'evidence'), join(folder, 'spool')];
    await mkdir(evidence);
    let window = 0;
    /** One life of an agent with a spool for about four windows. */
    const life = async () => {
      const spool = await open(directory, 5 * WINDOW_BYTES);
      const sealer = new Sealer(spool, spool.head?.nextKid === next.kid ? next : old, () => FIRST, {
        pop,
        boot_id,
        software,
      });
      const queue = new DocumentQueue({ sealer, gaps: spool, nowUnixMs: () => FIRST * 1000, log: silent });
      const seal = async (windows: number): Promise<void> => {
        for (let left = windows; left > 0; left -= 1) await queue.addSummary(bodyOf(smallSummary(window++)));
      };
      const deliver = async (): Promise<void> => {
        for (let document = await oldestIn(spool); document !== null; document = await oldestIn(spool)) {
          await writeFile(join(evidence, documentName(document.sequence)), Buffer.concat(encodeDocument(document)));
          await spool.delivered(document.sequence);
        }
      };
      return { spool, sealer, seal, deliver };
    };
    const before = await life();
    await before.seal(2);
    await before.deliver();
    await before.seal(7);
    await before.sealer.use({ key: old, next });
    await before.sealer.announce();
    await before.seal(2);
    const after = await life();
    await after.seal(7);
    expect(before.spool.status().discarded).toBeGreaterThan(2);
    expect(after.spool.status().discarded).toBeGreaterThan(2);
    // What the last window pushed out is declared by a record before the next one.
    await after.deliver();
    await after.seal(1);
    await after.deliver();
    const { isValid, lines } = await verified([evidence], { key: [oldFile, nextFile], pop: 'fra' });
    expect(lines.filter((line) => line.startsWith('fault'))).toEqual([]);
    expect(isValid).toBe(true);
    const announced = FIRST + 2 + 7;
    const notes = lines.filter((line) => line.startsWith('note: fra: '));
    expect(
      notes.filter((line) => line.includes(`on key ${next.kid} signs, as key ${old.kid} had announced`)),
    ).toHaveLength(1);
    const names = await readdir(evidence);
    const there = [-1, 0, 1].map((offset) => names.includes(documentName(announced + offset)));
    expect(there).toEqual([false, true, false]);
  });
});

describe('a revoked key', () => {
  it('is believed where a document of the next one leads back to it', async () => {
    await sealOverChange();
    const { isValid, lines } = await verified([folder], { key: [nextFile], revoked: [oldFile], pop: 'fra' });
    expect(isValid).toBe(true);
    expect(lines.find((line) => line.includes(old.kid) && line.startsWith('key: '))).toContain(', revoked, signed 4');
  });

  it('is not believed where nothing follows, nor behind a gap', async () => {
    await sealOverChange();
    await rename(fileOf(3), `${base}/away`);
    const { lines } = await verified([folder], { key: [nextFile], revoked: [oldFile], pop: 'fra' });
    const numbers = `${FIRST} to ${FIRST + 2}`;
    expect(lines.filter((line) => line.includes('[key_revoked]'))).toEqual([
      `fault: fra documents ${numbers}: expected a document of a sound key, to which an unbroken chain leads from here; ` +
        `found none, and the revoked key ${old.kid} [key_revoked]`,
    ]);
    for (const index of [4, 5, 6]) await rm(fileOf(index));
    const { codes } = await verified([folder], { key: [nextFile], revoked: [oldFile], pop: 'fra' });
    expect(codes).toEqual(['key_revoked']);
    // A key that is named as both is revoked.
    const both = await verified([folder], { key: [oldFile, nextFile], revoked: [oldFile], pop: 'fra' });
    expect(both.codes).toEqual(['key_revoked']);
  });

  it('does not lend belief to what its thief signs later, whatever time that states', async () => {
    await sealOverChange();
    const { prev } = await documentIn(fileOf(1));
    const forged = smallSummary(1, { sequence: FIRST + 1, prev, software: 'popprobe forged' });
    await writeFile(join(folder, 'forged.jws'), fileByHand(forged, old));
    const { lines, codes } = await verified([folder], { key: [nextFile], revoked: [oldFile], pop: 'fra' });
    expect(codes.toSorted()).toEqual(['document_replayed', 'key_revoked']);
    expect(lines.find((line) => line.includes('[key_revoked]'))).toContain(`fra document ${FIRST + 1}: `);
  });
});

describe('who is vouched for', () => {
  /** Plainly: of each document of a revoked key, whether some path of names leads to it from a sound one. */
  function plainly(documents: readonly Link[], isRevoked: (kid: string) => boolean): Link[] {
    const isVouched = ({ sequence, digest, kid }: Link): boolean =>
      !isRevoked(kid) ||
      documents.some((later) => later.sequence === sequence + 1 && later.prev === digest && isVouched(later));
    return documents.filter((document) => !isVouched(document));
  }

  interface Link {
    sequence: number;
    digest: string;
    prev: string | null;
    kid: string;
  }

  it('is the same as by walking from each document on, whatever is missing, forked or signed by whom', () => {
    const link = fc.record({
      sequence: fc.integer({ min: 1, max: 8 }),
      digest: fc.constantFrom('a', 'b', 'c'),
      prev: fc.constantFrom('a', 'b', 'c', null),
      kid: fc.constantFrom('sound', 'stolen', 'also stolen'),
    });
    const isRevoked = (kid: string): boolean => kid !== 'sound';
    fc.assert(
      fc.property(fc.array(link, { maxLength: 14 }), (links) => {
        const documents = links
          // Digests name documents: no two have the same.
          .map(({ digest, prev, ...rest }) => ({
            ...rest,
            digest: `${rest.sequence}${digest}`,
            prev: prev === null ? null : `${rest.sequence - 1}${prev}`,
          }))
          .filter(({ digest }, at, all) => all.findIndex((other) => other.digest === digest) === at)
          .toSorted((a, b) => a.sequence - b.sequence || (a.digest < b.digest ? -1 : 1));
        const runs = unvouched(documents, isRevoked);
        const listed = plainly(documents, isRevoked);
        for (const { sequence, kid } of listed) {
          expect(runs.some((run) => run.kid === kid && run.first <= sequence && sequence <= run.last)).toBe(true);
        }
        const numbers = runs.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, at) => first + at),
        );
        expect(numbers.every((number) => listed.some(({ sequence }) => sequence === number))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
