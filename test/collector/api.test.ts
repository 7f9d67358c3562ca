/** The read side over HTTP: the mesh of what was posted, and evidence that anybody can verify. */

import { verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Mesh } from '../../src/collector/mesh.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { bucketMidpointNs, bucketOf } from '../../src/stats/histogram.ts';
import { buildPeer, buildSummary, signDocument } from '../protocol/summary-fixture.ts';
import { Rig } from './harness.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.start();
});

afterEach(async () => {
  await rig.end();
});

describe('the mesh', () => {
  it('lists configured PoPs that never sent anything', async () => {
    const never = { last_sequence: null, last_accepted_at: null, last_accepted_age_s: null, skew_ms: null };
    const pops = ['ams', 'fra', 'par'].map((pop) => ({ pop, ...never, window_start: null, documents: 0 }));
    const answer = await rig.get('/api/v1/mesh');
    expect(answer).toMatchObject({ status: 200, json: { generated_at: '2026-01-01T12:00:00.000Z', pops, pairs: [] } });
  });

  it('shows the newest window of every PoP', async () => {
    for (const document of await rig.signChain(3)) await rig.post(document);
    await rig.post(await signDocument(buildSummary({ pop: 'ams', peers: [buildPeer('fra')] }), rig.keys.ams));
    const { json } = await rig.get('/api/v1/mesh');
    const newest = { window_start: '2026-01-01T00:03:00.000Z', window_length_s: 60, loss_ratio: 0 };
    const p95_ns = bucketMidpointNs(bucketOf(12_000_000));
    const rtt = { class: 'best-effort', kind: 'stamp', n: 2400, mean_ns: 12_000_000, p95_ns };
    expect(json).toMatchObject({
      pops: [
        { pop: 'ams', last_sequence: 1, documents: 1 },
        { pop: 'fra', last_sequence: 3, documents: 3, last_accepted_age_s: 0 },
        { pop: 'par', last_sequence: null, documents: 0 },
      ],
      pairs: [
        { from: 'ams', to: 'fra', window_start: '2026-01-01T00:01:00.000Z' },
        { from: 'fra', to: 'ams', ...newest, rtt, seconds: 'g'.repeat(60) },
        { from: 'fra', to: 'par', ...newest, rtt },
      ],
    });
  });
});

describe('the two ends of a path in the mesh', () => {
  /** Two windows of fra and of ams, which says that it received this much of flow 0; both agents run through the second. */
  async function meshWith(received: number) {
    const reflected = [0, 1, 2, 3].map((flow) => {
      const counts = flow === 0 ? { received, replied: received } : { received: 600, replied: 600 };
      return { class: 'best-effort', family: 'ipv4' as const, flow, ...counts };
    });
    for (const [pop, peers] of [
      ['fra', [buildPeer('ams')]],
      ['ams', [buildPeer('fra', { reflected })]],
    ] as const) {
      const first = await signDocument(buildSummary({ pop, peers: [...peers] }), rig.keys[pop]);
      await rig.post(first);
      const second = buildSummary({ pop, peers: [...peers], sequence: 2, prev: first.digest });
      await rig.post(await signDocument(second, rig.keys[pop]));
    }
    const { json } = await rig.get('/api/v1/mesh');
    return (json as Mesh).pairs.find(({ from }) => from === 'fra');
  }

  it('agree, each with its own signed counts', async () => {
    const pair = await meshWith(599);
    expect(pair?.two_ended).toBe('agrees');
    expect(pair?.paths.map(({ kind, flow, two_ended }) => [kind, flow, two_ended?.reflector])).toEqual([
      ['stamp', 0, { received: 599, replied: 599 }],
      ['stamp', 1, { received: 600, replied: 600 }],
      ['stamp', 2, { received: 600, replied: 600 }],
      ['stamp', 3, { received: 600, replied: 600 }],
      ['icmp', 0, undefined],
    ]);
  });

  it('are disputed when one of them cannot be right', async () => {
    const pair = await meshWith(500);
    expect(pair?.two_ended).toBe('disputed');
    // ceil((12 + 1.5 + 1.5 + 5 + 50) ms / 100 ms) + 2
    const dispute = { verdict: 'disputed', reason: null, sent: 600, tolerance: 3, forward_lost: 0, reverse_lost: 0 };
    expect(pair?.paths.map(({ two_ended }) => two_ended)).toEqual([
      { ...dispute, reflector: { received: 500, replied: 500 } },
      ...[1, 2, 3].map(() => expect.objectContaining({ verdict: 'agrees' }) as unknown),
      null,
    ]);
  });
});

describe('the evidence', () => {
  it('comes back as the signed octets, and verifies with node:crypto alone', async () => {
    const document = await rig.sign();
    await rig.post(document);
    const { status, headers, text } = await rig.get('/api/v1/documents/fra/1');
    expect([status, headers['content-type'], text]).toEqual([200, 'application/json', document.octets.toString()]);

    const line = headers[SIGNATURE_HEADER];
    if (typeof line !== 'string') throw new Error('one signature expected');
    const [header = '', , signature = ''] = line.split('.');
    const signed = Buffer.concat([Buffer.from(`${header}.`), Buffer.from(text)]);
    expect(verify(null, signed, rig.keys.fra.publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it.each(['fra/2', 'ams/1', 'fra/0', 'fra/01', 'fra/-1', 'fra/1e0', 'fra/99999999999999999999', "fra'--/1"])(
    'is not found under %s',
    async (path) => {
      await rig.post(await rig.sign());
      const answer = await rig.get(`/api/v1/documents/${path}`);
      expect(answer).toMatchObject({ status: 404, json: { error: { code: 'not_found' } } });
    },
  );
});

describe('health', () => {
  it('counts what was accepted and what was refused, by code', async () => {
    const document = await rig.sign();
    await rig.post(document);
    await rig.post(document);
    await rig.post(await rig.sign({ sequence: 1, software: 'popprobe 0.2.0' }));
    await rig.post(await rig.sign({ sequence: 2 }, rig.keys.stranger));
    const refused = { chain_conflict: 1, unknown_key: 1 };
    expect(await rig.get('/healthz')).toMatchObject({
      status: 200,
      json: { status: 'ok', accepted: 1, duplicate: 1, refused },
    });
  });
});
