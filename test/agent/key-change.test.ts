/** A change of keys: announced by the old one, in force only once that is on disk, whatever happens in between. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { KeyChange } from '../../src/agent/key-change.ts';
import { nextSigner } from '../../src/agent/next-signer.ts';
import { Sealer } from '../../src/agent/seal.ts';
import { documentName, type SealedDocument } from '../../src/agent/spool-file.ts';
import type { Spool } from '../../src/agent/spool.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { readHeader, verifyDetached } from '../../src/protocol/jws-verify.ts';
import { parseDocument } from '../../src/protocol/parse-document.ts';
import { EVENTS } from '../protocol/record-fixture.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildKey, type TestKey } from '../protocol/summary-fixture.ts';
import { oldestIn, open, recordingLog, temporaryFolder } from './spool-fixture.ts';

const STARTED_S = 1_767_225_600;
const RECORD_HEAD = { pop: 'fra', boot_id: '6f1c8f6e-3f0a-4c44-9a37-5d3a5b8f0d11', software: 'popprobe 0.1.0' };
const BYTES_MAX = 64 * 1024 * 1024;

const [one, two, three] = [await buildKey(), await buildKey(), await buildKey()];

function sealerOf(spool: Spool, key: TestKey): Sealer {
  return new Sealer(spool, key, () => STARTED_S + 0.25, RECORD_HEAD);
}

/** A document between changes of keys. */
function sealPair(sealer: Sealer): Promise<SealedDocument> {
  return sealer.sealRecord(EVENTS.pair, STARTED_S * 1000);
}

/** Every document of a spool in its order; it is empty then. */
async function takeAll(spool: Spool): Promise<SealedDocument[]> {
  const documents: SealedDocument[] = [];
  for (let document = await oldestIn(spool); document !== null; document = await oldestIn(spool)) {
    documents.push(document);
    await spool.delivered(document.sequence);
  }
  return documents;
}

/** Puts a file in the place of the folder, until the function that is returned puts the folder back. */
async function refuseWrites(folder: string): Promise<() => Promise<void>> {
  await rename(folder, `${folder}.away`);
  await writeFile(folder, '');
  return async () => {
    await rm(folder);
    await rename(`${folder}.away`, folder);
  };
}

const signerOf = ({ signature }: SealedDocument): string => readHeader(signature).kid;

/** Who signed each document, and which announces whom; after checking that they are one chain, each signed by its turn. */
async function course(documents: readonly SealedDocument[], keys: readonly TestKey[]): Promise<string[]> {
  let before: SealedDocument | null = null;
  const words: string[] = [];
  for (const document of documents) {
    const { kid, kind } = readHeader(document.signature);
    const at = keys.findIndex((key) => key.kid === kid);
    const key = keys[at];
    if (key === undefined) throw new Error(`a known key expected, not ${kid}`);
    await verifyDetached(document.signature, document.octets, key.publicKey);
    const parsed = parseDocument(document.octets, kind);
    if (parsed.kind !== 'record') throw new Error('a record expected');
    const { sequence, prev, event } = parsed.record;
    expect(prev).toBe(before === null ? prev : digestOf(before.octets));
    expect(sequence).toBe(before === null ? sequence : before.sequence + 1);
    // The one rule of it all: nobody signs but whom the document before leaves it to.
    expect(kid).toBe(before === null ? kid : nextSigner(before));
    words.push(event.kind === 'key' ? `${at} announces ${keys.findIndex((next) => next.kid === event.kid)}` : `${at}`);
    before = document;
  }
  return words;
}

describe('a change of keys', () => {
  it('is announced by the key until then, in its place in the chain, and in force from the next document on', async () => {
    const spool = await open(await temporaryFolder(), BYTES_MAX);
    const sealer = sealerOf(spool, one);
    await sealPair(sealer);
    await sealer.use({ key: one, next: two });
    expect(sealer.signing).toEqual({ kid: one.kid, successor: two.kid });
    await sealer.announce();
    expect(sealer.signing).toEqual({ kid: two.kid, successor: null });
    await sealer.announce();
    await sealPair(sealer);
    const documents = await takeAll(spool);
    expect(await course(documents, [one, two])).toEqual(['0', '0 announces 1', '1']);
    const { record } = parseDocument(documents[1]?.octets ?? Buffer.of(), 'record') as { record: unknown };
    const { x } = two.publicKey.export({ format: 'jwk' });
    expect(record).toMatchObject({ at_unix_ms: STARTED_S * 1000 + 250, event: { kind: 'key', kid: two.kid, x } });
  });

  it('is announced by the next document where nobody has before', async () => {
    const spool = await open(await temporaryFolder(), BYTES_MAX);
    const sealer = sealerOf(spool, one);
    await sealer.use({ key: one, next: two });
    await sealPair(sealer);
    expect(await course(await takeAll(spool), [one, two])).toEqual(['0 announces 1', '1']);
  });

  it('can follow another', async () => {
    const spool = await open(await temporaryFolder(), BYTES_MAX);
    const sealer = sealerOf(spool, one);
    await sealer.use({ key: one, next: two });
    await sealPair(sealer);
    await sealer.use({ key: two, next: three });
    await sealPair(sealer);
    const words = ['0 announces 1', '1', '1 announces 2', '2'];
    expect(await course(await takeAll(spool), [one, two, three])).toEqual(words);
  });

  it('is remembered by the chain, delivered or not, and not announced again', async () => {
    for (const isDelivered of [false, true]) {
      const folder = await temporaryFolder();
      const spool = await open(folder, BYTES_MAX);
      const sealer = sealerOf(spool, one);
      await sealer.use({ key: one, next: two });
      await sealer.announce();
      const before = isDelivered ? await takeAll(spool) : [];
      const again = await open(folder, BYTES_MAX);
      const later = sealerOf(again, one);
      await later.use({ key: one, next: two });
      expect(later.signing).toEqual({ kid: two.kid, successor: null });
      await sealPair(later);
      await later.use({ key: two, next: null });
      await sealPair(later);
      const documents = [...before, ...(await takeAll(again))];
      expect(await course(documents, [one, two])).toEqual(['0 announces 1', '1', '1']);
    }
  });

  it('cannot be taken back by a configuration that knows only the key before', async () => {
    const spool = await open(await temporaryFolder(), BYTES_MAX);
    const sealer = sealerOf(spool, one);
    await sealer.use({ key: one, next: two });
    await sealer.announce();
    for (const keys of [
      { key: one, next: null },
      { key: one, next: three },
    ]) {
      expect((await refusalOf(() => sealer.check(keys))).code).toBe('key_unannounced');
      expect((await refusalOf(() => sealer.use(keys))).code).toBe('key_unannounced');
    }
    expect(sealer.signing.kid).toBe(two.kid);
  });

  it('is announced anew when a power cut has torn its announcement', async () => {
    const folder = await temporaryFolder();
    const spool = await open(folder, BYTES_MAX);
    const sealer = sealerOf(spool, one);
    const { sequence } = await sealPair(sealer);
    const head = await readFile(join(folder, 'head.json'));
    await sealer.use({ key: one, next: two });
    await sealer.announce();
    const torn = join(folder, documentName(sequence + 1));
    await writeFile(join(folder, 'head.json'), head);
    await truncate(torn, (await readFile(torn)).indexOf('\n') + 20);
    const again = await open(folder, BYTES_MAX);
    const later = sealerOf(again, one);
    await later.use({ key: one, next: two });
    expect(later.signing).toEqual({ kid: one.kid, successor: two.kid });
    await sealPair(later);
    const [first, ...others] = await takeAll(again);
    expect([first?.sequence, others[0]?.sequence]).toEqual([sequence, sequence + 2]);
    expect(await course(others, [one, two])).toEqual(['0 announces 1', '1']);
  });

  it('waits for a disk that refuses, and until then the old key is the one that signs', async () => {
    const folder = await temporaryFolder();
    const spool = await open(folder, BYTES_MAX);
    const sealer = sealerOf(spool, one);
    const { log, lines } = recordingLog();
    const keys = new KeyChange(sealer, log);
    await sealPair(sealer);
    const letWrite = await refuseWrites(folder);
    await keys.use({ key: one, next: two });
    expect(lines.map(({ msg }) => msg)).toEqual(['cannot announce the next key now: the next document will']);
    expect(keys.status).toEqual({ kid: one.kid, successor: two.kid });
    expect((await refusalOf(() => sealPair(sealer))).code).toBe('spool_unusable');
    expect(keys.status.kid).toBe(one.kid);
    await letWrite();
    await sealPair(sealer);
    expect(keys.status).toEqual({ kid: two.kid, successor: null });
    expect(await course(await takeAll(spool), [one, two])).toEqual(['0', '0 announces 1', '1']);
  });

  it('announces the one that is meant last, when the disk has refused the first', async () => {
    const folder = await temporaryFolder();
    const spool = await open(folder, BYTES_MAX);
    const sealer = sealerOf(spool, one);
    const letWrite = await refuseWrites(folder);
    await sealer.use({ key: one, next: two });
    expect((await refusalOf(() => sealer.announce())).code).toBe('spool_unusable');
    await letWrite();
    await sealer.use({ key: one, next: three });
    await sealPair(sealer);
    expect(await course(await takeAll(spool), [one, two, three])).toEqual(['0 announces 2', '2']);
  });

  it('loses no document that is sealed meanwhile', async () => {
    const spool = await open(await temporaryFolder(), BYTES_MAX);
    const sealer = sealerOf(spool, one);
    const keys = [one, two, three];
    const work = Array.from({ length: 90 }, async (_, index) => {
      if (index === 30) await sealer.use({ key: one, next: two });
      if (index === 60) await sealer.use({ key: two, next: three });
      await sealPair(sealer);
    });
    await Promise.all(work);
    const words = await course(await takeAll(spool), keys);
    expect(words).toHaveLength(92);
    expect(words.filter((word) => word.includes('announces'))).toEqual(['0 announces 1', '1 announces 2']);
  });
});

describe('kill -9 in the middle of changing keys', () => {
  const PROGRAM = fileURLToPath(new URL('./rotate-until-killed.js', import.meta.url));

  /** Lets a process seal and change keys until it has reported so many documents, and gives what it has reported. */
  async function changeAndKill(folder: string, keysFile: string, count: number): Promise<number[]> {
    const child = spawn(process.execPath, [PROGRAM, folder, keysFile], { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    const reported: number[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      reported.push(Number(line));
      if (reported.length === count) child.kill('SIGKILL');
    }
    expect(await closed).toEqual([null, 'SIGKILL']);
    return reported;
  }

  it('leaves one chain in which every key was announced by the one before, and never two by one', async () => {
    const folder = await temporaryFolder();
    const keys = await Promise.all(Array.from({ length: 120 }, buildKey));
    const keysFile = join(await temporaryFolder(), 'keys.json');
    const pems = keys.map(({ kid, privateKey }) => ({ kid, pem: privateKey.export({ format: 'pem', type: 'pkcs8' }) }));
    await writeFile(keysFile, JSON.stringify(pems));
    const reported: number[] = [];
    const documents: SealedDocument[] = [];
    for (const [life, count] of [1, 2, 3, 5, 8, 1, 13, 2, 21, 1, 4].entries()) {
      reported.push(...(await changeAndKill(folder, keysFile, count)));
      // Every third life begins with an empty folder, where head.json alone remembers the chain.
      if (life % 3 === 2) documents.push(...(await takeAll(await open(folder, BYTES_MAX))));
    }
    documents.push(...(await takeAll(await open(folder, BYTES_MAX))));
    const kept = new Set(documents.map(({ sequence }) => sequence));
    expect(reported.filter((sequence) => !kept.has(sequence))).toEqual([]);
    const words = await course(documents, keys);
    const changes = words.filter((word) => word.includes('announces'));
    expect(changes).toEqual(changes.map((_, index) => `${index} announces ${index + 1}`));
    expect(changes.length).toBeGreaterThan(20);
    expect(new Set(documents.map(signerOf)).size).toBeGreaterThan(20);
    expect((await readdir(folder)).filter((name) => name.endsWith('.jws'))).toEqual([]);
  }, 60_000);
});
