/** Sealing: the octets verify as they are stored, the chain links up, and a failure leaves its place free. */

import { rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Sealer, type SummaryBody } from '../../src/agent/seal.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { readHeader, verifyDetached } from '../../src/protocol/jws-verify.ts';
import { parseDocument } from '../../src/protocol/parse-document.ts';
import { parseRecord } from '../../src/protocol/parse-record.ts';
import { parseSummary } from '../../src/protocol/parse-summary.ts';
import { EVENTS } from '../protocol/record-fixture.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildKey, buildSummary } from '../protocol/summary-fixture.ts';
import { drain, oldestIn, open, temporaryFolder } from './spool-fixture.ts';
import { bodyOf } from './summary-body.ts';

const STARTED_S = 1_767_225_600;
const RECORD_HEAD = { pop: 'fra', boot_id: '6f1c8f6e-3f0a-4c44-9a37-5d3a5b8f0d11', software: 'popprobe 0.1.0' };
const MEGABYTES_64 = 64 * 1024 * 1024;

/** A summary as the agent knows it before sealing. */
function buildBody(overrides: Partial<SummaryBody> = {}): SummaryBody {
  return { ...bodyOf(buildSummary()), ...overrides };
}

async function startSealer(folder: string, nowUnixS = () => STARTED_S + 0.9) {
  const spool = await open(folder, MEGABYTES_64);
  const key = await buildKey();
  return { spool, key, sealer: new Sealer(spool, key, nowUnixS, RECORD_HEAD) };
}

describe('a sealed document', () => {
  it('is in the spool with the very octets that were signed, and they are a valid summary', async () => {
    const { spool, key, sealer } = await startSealer(await temporaryFolder());
    const sealed = await sealer.seal(buildBody());
    const stored = await oldestIn(spool);
    expect(stored).toEqual({ ...sealed, octets: expect.anything() });
    expect(Buffer.from(stored?.octets ?? []).equals(sealed.octets)).toBe(true);
    await verifyDetached(sealed.signature, stored?.octets ?? Buffer.of(), key.publicKey);
    expect(parseSummary(sealed.octets)).toEqual({ ...buildSummary(), sequence: STARTED_S, prev: null });
  });

  it('names itself first and keeps the order it was given', async () => {
    const { sealer } = await startSealer(await temporaryFolder());
    const { octets } = await sealer.seal(buildBody());
    const { schema: _, pop: __, boot_id: ___, peers: ____, ...rest } = buildBody();
    const names = Object.keys(JSON.parse(Buffer.from(octets).toString()));
    expect(names).toEqual(['schema', 'pop', 'boot_id', 'sequence', 'prev', ...Object.keys(rest), 'peers']);
  });
});

describe('a record', () => {
  it.each(Object.values(EVENTS).filter(({ kind }) => kind !== 'gap'))(
    'of a $kind is read as it was sealed',
    async (event) => {
      const { spool, key, sealer } = await startSealer(await temporaryFolder());
      const sealed = await sealer.sealRecord(event, STARTED_S * 1000 + 250);
      const stored = await oldestIn(spool);
      await verifyDetached(sealed.signature, stored?.octets ?? Buffer.of(), key.publicKey);
      expect(readHeader(sealed.signature)).toEqual({ kid: key.kid, kind: 'record' });
      expect(parseRecord(stored?.octets ?? Buffer.of())).toEqual({
        schema: 'popprobe.record/1',
        ...RECORD_HEAD,
        sequence: STARTED_S,
        prev: null,
        at: '2026-01-01T00:00:00.250Z',
        at_unix_ms: STARTED_S * 1000 + 250,
        event,
      });
    },
  );

  it('has its place in the chain of the summaries, also when calls overlap', async () => {
    const { sealer } = await startSealer(await temporaryFolder());
    const documents = await Promise.all([
      sealer.seal(buildBody()),
      sealer.sealRecord(EVENTS.pair, STARTED_S * 1000),
      sealer.seal(buildBody()),
      sealer.sealRecord({ kind: 'gap', ranges: [[STARTED_S, STARTED_S + 2]], reason: 'spool_full' }, STARTED_S * 1000),
    ]);
    const parsed = documents.map(({ octets, signature }) => {
      const { kind } = readHeader(signature);
      const document = parseDocument(octets, kind);
      return document.kind === 'summary' ? document.summary : document.record;
    });
    expect(parsed.map(({ schema }) => schema.split('/')[0])).toEqual([
      'popprobe.summary',
      'popprobe.record',
      'popprobe.summary',
      'popprobe.record',
    ]);
    expect(parsed.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3].map((index) => STARTED_S + index));
    const digests = documents.map(({ octets }) => digestOf(octets));
    expect(parsed.map(({ prev }) => prev)).toEqual([null, ...digests.slice(0, 3)]);
  });

  it('that the disk refuses leaves its place to the next document', async () => {
    const folder = await temporaryFolder();
    const { sealer } = await startSealer(folder);
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    expect((await refusalOf(() => sealer.sealRecord(EVENTS.pair, 0))).code).toBe('spool_unusable');
    await rm(folder);
    expect((await sealer.sealRecord(EVENTS.pair, 0)).sequence).toBe(STARTED_S);
  });

  it('over the limit is refused, and leaves its place too', async () => {
    const { spool, sealer } = await startSealer(await temporaryFolder());
    const event = { ...EVENTS.pair, peer: 'x'.repeat(LIMITS.recordBytesMax) };
    expect((await refusalOf(() => sealer.sealRecord(event, 0))).code).toBe('too_large');
    expect(spool.head).toBeNull();
  });
});

describe('the chain', () => {
  it('starts with no predecessor at the current second, and counts on from there', async () => {
    const { sealer } = await startSealer(await temporaryFolder());
    const documents = [await sealer.seal(buildBody()), await sealer.seal(buildBody()), await sealer.seal(buildBody())];
    const summaries = documents.map(({ octets }) => parseSummary(octets));
    expect(summaries.map(({ sequence }) => sequence)).toEqual([STARTED_S, STARTED_S + 1, STARTED_S + 2]);
    const digests = documents.map(({ octets }) => digestOf(octets));
    expect(summaries.map(({ prev }) => prev)).toEqual([null, digests[0], digests[1]]);
  });

  it('goes on after a restart, also when everything was delivered and the clock stepped back', async () => {
    const folder = await temporaryFolder();
    const first = await startSealer(folder);
    const last = await first.sealer.seal(buildBody());
    await drain(first.spool);
    const second = await startSealer(folder, () => 0);
    const next = parseSummary((await second.sealer.seal(buildBody())).octets);
    expect(next).toMatchObject({ sequence: last.sequence + 1, prev: digestOf(last.octets) });
  });

  it('starts at 1 on a host whose clock knows nothing', async () => {
    const { sealer } = await startSealer(await temporaryFolder(), () => 0);
    expect((await sealer.seal(buildBody())).sequence).toBe(1);
  });

  it('has neither forks nor gaps when calls overlap', async () => {
    const { sealer } = await startSealer(await temporaryFolder());
    const documents = await Promise.all(Array.from({ length: 8 }, () => sealer.seal(buildBody())));
    for (const [index, { octets, sequence }] of documents.entries()) {
      const before = documents[index - 1];
      expect(sequence).toBe(STARTED_S + index);
      expect(parseSummary(octets).prev).toBe(before === undefined ? null : digestOf(before.octets));
    }
  });
});

describe('a summary that cannot be sealed', () => {
  it('leaves its place to the next one when it is too large', async () => {
    const { spool, sealer } = await startSealer(await temporaryFolder());
    const software = 'x'.repeat(LIMITS.summaryBytesMax);
    expect((await refusalOf(() => sealer.seal(buildBody({ software })))).code).toBe('too_large');
    await sealer.seal(buildBody());
    expect(await drain(spool)).toEqual([STARTED_S]);
  });

  it('leaves its place to the next one when the disk refuses it', async () => {
    const folder = await temporaryFolder();
    const { spool, key, sealer } = await startSealer(folder);
    const first = await sealer.seal(buildBody());
    await rm(folder, { recursive: true });
    await writeFile(folder, '');
    const failed = sealer.seal(buildBody());
    const error = await refusalOf(() => failed);
    expect(error).toMatchObject({ code: 'spool_unusable', found: 'EEXIST' });
    await rm(folder);
    const next = await sealer.seal(buildBody({ software: 'popprobe 0.1.1' }));
    expect(parseSummary(next.octets)).toMatchObject({ sequence: STARTED_S + 1, prev: digestOf(first.octets) });
    const head = { sequence: STARTED_S + 1, digest: digestOf(next.octets), nextKid: key.kid };
    expect(spool.head).toEqual(head);
  });
});
