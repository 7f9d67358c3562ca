/** Sealing: the octets verify as they are stored, the chain links up, and a failure leaves its place free. */

import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { Sealer, type SummaryBody } from '../../src/agent/seal.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { verifyDetached } from '../../src/protocol/jws-verify.ts';
import { parseSummary } from '../../src/protocol/parse-summary.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildKey, buildSummary, buildTrace } from '../protocol/summary-fixture.ts';
import { drain, open, temporaryFolder } from './spool-fixture.ts';
import { bodyOf } from './summary-body.ts';

const STARTED_S = 1_767_225_600;
const MEGABYTES_64 = 64 * 1024 * 1024;

/** A summary as the agent knows it before sealing. */
function buildBody(overrides: Partial<SummaryBody> = {}): SummaryBody {
  return { ...bodyOf(buildSummary()), ...overrides };
}

async function startSealer(folder: string, nowUnixS = () => STARTED_S + 0.9) {
  const spool = await open(folder, MEGABYTES_64);
  const key = await buildKey();
  return { spool, key, sealer: new Sealer(spool, key, nowUnixS) };
}

describe('a sealed document', () => {
  it('is in the spool with the very octets that were signed, and they are a valid summary', async () => {
    const { spool, key, sealer } = await startSealer(await temporaryFolder());
    const sealed = await sealer.seal(buildBody());
    const stored = await spool.oldest();
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
    expect(names).toEqual(['schema', 'pop', 'boot_id', 'sequence', 'prev', ...Object.keys(rest), 'traces', 'peers']);
  });

  it('has the traces that it is sealed with, as they are', async () => {
    const { sealer } = await startSealer(await temporaryFolder());
    const traces = [buildTrace(), buildTrace({ peer: 'par' })];
    const sealed = await sealer.seal(
      buildBody(),
      traces.map((trace) => JSON.stringify(trace)),
    );
    expect(parseSummary(sealed.octets).traces).toEqual(traces);
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
    const { spool, sealer } = await startSealer(folder);
    const first = await sealer.seal(buildBody());
    await rm(folder, { recursive: true });
    const failed = sealer.seal(buildBody());
    const error = await refusalOf(() => failed);
    expect(error).toMatchObject({ code: 'spool_unusable', found: 'ENOENT' });
    await open(folder);
    const next = await sealer.seal(buildBody({ software: 'popprobe 0.1.1' }));
    expect(parseSummary(next.octets)).toMatchObject({ sequence: STARTED_S + 1, prev: digestOf(first.octets) });
    expect(spool.head).toEqual({ sequence: STARTED_S + 1, digest: digestOf(next.octets) });
  });
});
