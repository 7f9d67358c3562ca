/** Which key signs: told from the chain and the configuration together, for every way in which the two may meet. */

import { describe, expect, it } from 'vitest';
import { nextSigner } from '../../src/agent/next-signer.ts';
import { signingPlan } from '../../src/agent/signing-plan.ts';
import { decodeHead, encodeHead, headOf } from '../../src/agent/spool-file.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildRecord, EVENTS } from '../protocol/record-fixture.ts';
import { buildKey, buildSummary, signDocument } from '../protocol/summary-fixture.ts';

const [one, two, three] = [await buildKey(), await buildKey(), await buildKey()];

describe('the key that signs', () => {
  it('is key_file in a new chain, and where nothing says who signs', () => {
    expect(signingPlan(null, { key: one, next: null })).toEqual({ key: one, successor: null });
    expect(signingPlan(null, { key: one, next: two })).toEqual({ key: one, successor: two });
  });

  it('is key_file until its successor is announced, which is due at once', () => {
    expect(signingPlan(one.kid, { key: one, next: null })).toEqual({ key: one, successor: null });
    expect(signingPlan(one.kid, { key: one, next: two })).toEqual({ key: one, successor: two });
  });

  it('is the successor ever after, wherever the configuration names it, and it is not announced again', () => {
    expect(signingPlan(two.kid, { key: one, next: two })).toEqual({ key: two, successor: null });
    expect(signingPlan(two.kid, { key: two, next: null })).toEqual({ key: two, successor: null });
    expect(signingPlan(two.kid, { key: two, next: three })).toEqual({ key: two, successor: three });
  });

  it('is not announced to itself', () => {
    expect(signingPlan(one.kid, { key: one, next: one }).successor).toBeNull();
    expect(signingPlan(null, { key: one, next: one }).successor).toBeNull();
  });

  it('is never one that the chain does not know, nor the one before', async () => {
    for (const keys of [
      { key: one, next: null },
      { key: one, next: three },
    ]) {
      const refusal = await refusalOf(() => signingPlan(two.kid, keys));
      expect(refusal).toMatchObject({ code: 'key_unannounced', expected: expect.stringContaining(two.kid) });
      expect(refusal.found).toContain(one.kid);
    }
  });
});

describe('the key that signs the next document', () => {
  it('is the one that signed the newest', async () => {
    const summary = { sequence: 1, ...(await signDocument(buildSummary(), one)) };
    const pair = { sequence: 1, ...(await signDocument(buildRecord(EVENTS.pair), one, 'record')) };
    expect([nextSigner(summary), nextSigner(pair)]).toEqual([one.kid, one.kid]);
  });

  it('is the one that the newest announces', async () => {
    const event = { kind: 'key', kid: two.kid, x: two.kid } as const;
    const record = { sequence: 1, ...(await signDocument(buildRecord(event), one, 'record')) };
    expect(nextSigner(record)).toBe(two.kid);
    expect(headOf(record)).toEqual({ sequence: 1, digest: record.digest, nextKid: two.kid });
  });

  it('is not announced by what only looks like a record of it', async () => {
    const event = { kind: 'key', kid: two.kid, x: two.kid } as const;
    expect(nextSigner(await signDocument(buildRecord(event), one, 'summary'))).toBe(one.kid);
    expect(nextSigner(await signDocument(buildRecord({ ...event, kid: 'two' }), one, 'record'))).toBeUndefined();
    expect(nextSigner(await signDocument({ event: null }, one, 'record'))).toBe(one.kid);
  });

  it('is unknown where the line says nothing', () => {
    for (const signature of ['', '..', 'header..signature', 'bnVsbA..x', 'e30..x']) {
      expect(nextSigner({ signature, octets: Buffer.from('{}') })).toBeUndefined();
    }
  });

  it('is remembered by the head of the chain', () => {
    const head = { sequence: 7, digest: digestOf(Buffer.from('a')), nextKid: two.kid };
    expect(decodeHead(encodeHead(head))).toEqual(head);
    const { nextKid: _, ...nobody } = head;
    expect(decodeHead(encodeHead(nobody))).toEqual(nobody);
    expect(decodeHead(Buffer.from(JSON.stringify({ ...nobody, next_kid: 'two' })))).toBeNull();
    expect(decodeHead(Buffer.from(JSON.stringify({ ...nobody, next_kid: null })))).toBeNull();
  });
});
