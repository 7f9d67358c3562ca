/** What a sender without or with a key can try: whatever it is, the store stays as it was, and the collector answers on. */

import { once } from 'node:events';
import http from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { SIGNATURE_HEADER, signDetached } from '../../src/protocol/jws.ts';
import { EVENTS } from '../protocol/record-fixture.ts';
import { buildPeer, buildSummary, octetsOf, type SignedDocument, signDocument } from '../protocol/summary-fixture.ts';
import { Rig, refusalCode } from './harness.ts';
import { type ChainedDocument, eventLink, linkAll, windowLink } from './stored-chain.ts';

let rig: Rig;
let chain: ChainedDocument[];

beforeEach(async () => {
  rig = await Rig.start();
  chain = await linkAll(rig.keys.fra, [windowLink(0), eventLink(EVENTS.pair, 70), windowLink(1), windowLink(2)]);
  for (const document of chain) await rig.post(document);
});

afterEach(async () => {
  await rig.end();
});

/** Signs any octets with the key of `fra`. */
function signed(octets: Uint8Array, kind: 'summary' | 'record' = 'summary'): SignedDocument {
  return { octets: Buffer.from(octets), signature: signDetached(octets, rig.keys.fra, kind), digest: '' };
}

function at(index: number): ChainedDocument {
  const document = chain[index];
  if (document === undefined) throw new Error(`no document ${index}`);
  return document;
}

/** Sends compressed what may be large. */
async function postGzip({ octets, signature }: SignedDocument) {
  return await rig.postBody(gzipSync(octets), { 'content-encoding': 'gzip', [SIGNATURE_HEADER]: signature });
}

async function expectUnchanged(code: string, send: () => ReturnType<Rig['post']>): Promise<void> {
  const before = rig.dump();
  expect(refusalCode((await send()).json)).toBe(code);
  expect(rig.dump()).toEqual(before);
  // It is alive, and knows what it has.
  expect(await rig.post(at(3))).toMatchObject({ status: 200, json: { status: 'duplicate' } });
}

describe('a stranger', () => {
  it('has his body neither decompressed nor kept: his key is looked at first', async () => {
    const { signature } = await rig.sign({}, rig.keys.stranger);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const headers = { 'content-encoding': 'gzip', [SIGNATURE_HEADER]: signature };
    await expectUnchanged('unknown_key', async () => await rig.postBody(bomb, headers));
    await expectUnchanged('malformed', async () => await rig.postBody(bomb, { 'content-encoding': 'gzip' }));
  });

  it('is answered before he has sent his body', async () => {
    const { signature } = await rig.sign({}, rig.keys.stranger);
    const headers = { 'content-length': LIMITS.summaryBodyBytesMax, [SIGNATURE_HEADER]: signature };
    const sender = http.request(`${rig.url}/v1/documents`, { method: 'POST', headers });
    sender.on('error', () => undefined);
    sender.flushHeaders();
    const [response] = (await once(sender, 'response')) as [http.IncomingMessage];
    expect(response.statusCode).toBe(401);
    response.resume();
    sender.destroy();
  });

  it('forges the name of a key', async () => {
    const forger = { ...rig.keys.stranger, kid: rig.keys.fra.kid };
    await expectUnchanged('bad_signature', async () => await rig.post(await rig.sign({ sequence: 9 }, forger)));
  });

  it('signs what another one has signed', async () => {
    const line = signDetached(at(0).octets, rig.keys.stranger, 'summary');
    await expectUnchanged('unknown_key', async () => await rig.post({ ...at(0), signature: line }));
  });
});

describe('another PoP', () => {
  it('signs a document of this one, or the very octets that are stored', async () => {
    const own = await rig.sign({ sequence: 9 }, rig.keys.ams);
    await expectUnchanged('key_not_for_pop', async () => await rig.post(own));
    const line = signDetached(at(0).octets, rig.keys.ams, 'summary');
    await expectUnchanged('key_not_for_pop', async () => await rig.post({ ...at(0), signature: line }));
  });
});

describe('whoever has heard a document', () => {
  it('replays it in any order, and nothing comes of it', async () => {
    const before = rig.dump();
    for (const document of [...chain.toReversed(), ...chain]) {
      expect(await rig.post(document)).toMatchObject({ status: 200, json: { status: 'duplicate' } });
    }
    expect(rig.dump()).toEqual(before);
    expect(rig.counters.snapshot().duplicate).toBe(8);
  });

  it('changes one bit anywhere in the octets of a record, or in its line', async () => {
    const { octets, signature } = at(1);
    const before = rig.dump();
    for (let byte = 0; byte < octets.length; byte += 7) {
      const changed = Buffer.from(octets);
      changed[byte] = (changed[byte] ?? 0) ^ (1 << (byte % 8));
      expect((await rig.post({ octets: changed, signature, digest: '' })).status).toBe(401);
    }
    for (let index = 0; index < signature.length; index += 5) {
      const letter = signature[index] === 'A' ? 'B' : 'A';
      const changed = signature.slice(0, index) + letter + signature.slice(index + 1);
      const { status } = await rig.post({ octets, signature: changed, digest: '' });
      expect([400, 401]).toContain(status);
    }
    expect(rig.dump()).toEqual(before);
  });

  it('sends the octets of one under the line of another', async () => {
    await expectUnchanged('bad_signature', async () => await rig.post({ ...at(0), signature: at(2).signature }));
  });
});

describe('a PoP with a key of its own', () => {
  const large = (text: string): Buffer => Buffer.from(text.repeat(Math.floor(LIMITS.summaryBytesMax / text.length)));

  it('signs a bomb: it goes off nowhere', async () => {
    const { signature } = signed(Buffer.from('{}'));
    const bomb = gzipSync(Buffer.alloc(512 * 1024 * 1024));
    const headers = { 'content-encoding': 'gzip', [SIGNATURE_HEADER]: signature };
    await expectUnchanged('too_large', async () => await rig.postBody(bomb, headers));
  }, 60_000);

  const cases: [string, string, () => Buffer][] = [
    ['eight million arrays within each other', 'malformed', () => large('[')],
    ['objects within each other', 'malformed', () => large('{"a":')],
    ['three million empty objects', 'malformed', () => Buffer.from(`[${large('{},').toString().slice(0, -4)}]`)],
    ['a text without end', 'malformed', () => large('"')],
    ['eight megabytes of spaces', 'malformed', () => large(' ')],
    ['one number of eight million digits', 'schema', () => large('1')],
    [
      'a million paths with nothing in them',
      'schema',
      () => {
        const paths = Array.from({ length: 256 }, () => ({}));
        const peers = Array.from({ length: 4000 }, (_, index) => ({ ...buildPeer(`p${index}`), paths }));
        return octetsOf({ ...buildSummary(), peers });
      },
    ],
  ];

  it.each(cases)('signs %s', async (_what, code, make) => {
    await expectUnchanged(code, async () => await postGzip(signed(make())));
  });

  it('signs a record as large as a summary may be', async () => {
    await expectUnchanged('too_large', async () => await postGzip(signed(large('['), 'record')));
  });

  it('signs a number again, or a link that leads elsewhere: kept beside the chain, and the chain is as it was', async () => {
    const { conflict_row: _rows, conflict_state: _state, ...before } = rig.dump();
    for (const overrides of [
      { sequence: 1, software: 'popprobe 9' },
      { sequence: 5, prev: at(0).digest },
      { sequence: 5, prev: null },
    ]) {
      expect(refusalCode((await rig.post(await rig.sign(overrides))).json)).toBe('chain_conflict');
    }
    const { conflict_row: rows, conflict_state: _after, ...after } = rig.dump();
    expect(after).toEqual(before);
    expect(rows).toHaveLength(3);
  });

  it('signs its documents out of order, which is no harm', async () => {
    const own = await linkAll(rig.keys.ams, [windowLink(0, { pop: 'ams' }), windowLink(1, { pop: 'ams' })]);
    for (const document of own.toReversed()) expect((await rig.post(document)).status).toBe(200);
    expect(rig.dump()['hole_row']).toEqual([]);
    const unlinked = await signDocument(buildSummary({ pop: 'ams', sequence: 9, prev: null }), rig.keys.ams);
    expect(await rig.post(unlinked)).toMatchObject({ status: 200 });
    expect(rig.dump()['hole_row']).toEqual([{ pop: 'ams', from_sequence: 3, to_sequence: 8 }]);
  });
});
