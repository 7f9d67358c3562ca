/** Documents that do not fit into their chain: kept beside it as evidence, as far as there is room, and never instead of it. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import type { ConflictList } from '../../src/collector/conflict-list.ts';
import { openDatabase } from '../../src/collector/store/database.ts';
import { SqliteStore } from '../../src/collector/store/sqlite-store.ts';
import type { VerifiedDocument } from '../../src/collector/verify.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { buildRecord, EVENTS } from '../protocol/record-fixture.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { octetsOf } from '../protocol/summary-fixture.ts';
import { NOW_MS, Rig, refusalCode } from './harness.ts';
import { eventLink, linkAll, smallSummary, windowLink } from './stored-chain.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.start();
  for (const document of await linkAll(rig.keys.fra, [windowLink(0), eventLink(EVENTS.pair, 70), windowLink(1)])) {
    await rig.post(document);
  }
});

afterEach(async () => {
  await rig.end();
});

async function conflictsOf(pop = 'fra'): Promise<ConflictList> {
  const answer = await rig.get(`/api/v1/conflicts/${pop}`);
  expect(answer.status).toBe(200);
  return answer.json as ConflictList;
}

/** Every table but the two of conflicts. */
function chainTables(): Record<string, unknown[]> {
  const { conflict_row: _rows, conflict_state: _state, ...others } = rig.dump();
  return others;
}

describe('a conflicting document', () => {
  it('is kept with its signature, when it came, and why it did not fit', async () => {
    const before = chainTables();
    const other = await rig.sign({ ...smallSummary(0), sequence: 1, software: 'popprobe 9' });
    const answer = await rig.post(other);
    expect([answer.status, refusalCode(answer.json)]).toEqual([409, 'chain_conflict']);
    const { digest, octets, signature } = other;
    const { json } = await rig.get('/api/v1/documents/fra');
    const { digest: stored } = (json as { documents: { digest: string }[] }).documents[0] ?? {};
    expect(await conflictsOf()).toEqual({
      pop: 'fra',
      conflicts: [
        {
          sequence: 1,
          digest,
          kid: rig.keys.fra.kid,
          received_at: new Date(NOW_MS).toISOString(),
          expected: `document 1 with digest ${stored}, as stored`,
          found: `digest ${digest}`,
          bytes: octets.length,
        },
      ],
      not_kept: 0,
    });
    const kept = await rig.get(`/api/v1/conflicts/fra/1/${digest}`);
    expect([kept.text, kept.headers[SIGNATURE_HEADER]]).toEqual([octets.toString(), signature]);
    expect(chainTables()).toEqual(before);
  });

  it('is kept once, however often it is sent', async () => {
    const other = await rig.sign({ ...smallSummary(0), sequence: 1, software: 'popprobe 9' });
    for (let times = 0; times < 3; times += 1) expect((await rig.post(other)).status).toBe(409);
    expect((await conflictsOf()).conflicts).toHaveLength(1);
    expect(rig.counters.snapshot().refused).toEqual({ chain_conflict: 3 });
  });

  it('may be of either kind, have any number, and be several of one', async () => {
    const [one, , three] = ['a', 'b', 'c'].map((software) => ({ ...smallSummary(9), sequence: 4, software }));
    await rig.post(await rig.sign({ ...one, prev: null }));
    await rig.post(await rig.sign({ ...three, prev: null }));
    const [record] = await linkAll(rig.keys.fra, [eventLink(EVENTS.pair, 9)], 2);
    if (record) await rig.post(record);
    expect((await conflictsOf()).conflicts.map(({ sequence }) => sequence)).toEqual([2, 4, 4]);
  });

  it('is none unless the key of the PoP has signed it', async () => {
    const other = { ...smallSummary(0), sequence: 1, software: 'popprobe 9' };
    for (const key of [rig.keys.ams, rig.keys.stranger, { ...rig.keys.stranger, kid: rig.keys.fra.kid }]) {
      expect((await rig.post(await rig.sign(other, key))).status).toBeGreaterThanOrEqual(401);
    }
    expect(await conflictsOf()).toEqual({ pop: 'fra', conflicts: [], not_kept: 0 });
  });

  it('does not stand in the way of one that fits', async () => {
    await rig.post(await rig.sign({ ...smallSummary(2), sequence: 4, prev: null }));
    const chain = await linkAll(rig.keys.fra, [
      windowLink(0),
      eventLink(EVENTS.pair, 70),
      windowLink(1),
      windowLink(2),
    ]);
    const last = chain.at(-1);
    expect(last && (await rig.post(last))).toMatchObject({ status: 200, json: { status: 'accepted', sequence: 4 } });
    expect((await conflictsOf()).conflicts).toHaveLength(1);
  });

  it('is looked for under its own name', async () => {
    const { digest } = await rig.sign();
    for (const path of ['fra/1/x', `fra/1/${digest}`, `fra/x/${digest}`, `ams/1/${digest}`]) {
      const answer = await rig.get(`/api/v1/conflicts/${path}`);
      expect([answer.status, refusalCode(answer.json)]).toEqual([404, 'not_found']);
    }
    expect((await rig.get('/api/v1/conflicts/tokyo')).status).toBe(404);
    expect((await rig.get('/api/v1/conflicts/fra?after=1')).status).toBe(400);
    expect(await conflictsOf('par')).toMatchObject({ conflicts: [] });
  });
});

describe('the room for conflicts', () => {
  /** As verification hands it on; padded to as many octets. */
  function verified(pop: string, sequence: number, bytes = 0): VerifiedDocument {
    const record = buildRecord(EVENTS.pair, { pop, sequence });
    const padded = Buffer.from(octetsOf(record).toString().padEnd(bytes));
    return { kind: 'record', record, octets: padded, signature: 's', kid: 'k', digest: digestOf(padded) };
  }

  async function conflictIn(store: SqliteStore, document: VerifiedDocument): Promise<void> {
    expect((await refusalOf(() => store.accept(document, 0))).code).toBe('chain_conflict');
  }

  it('is bounded in number: the first ones stay, and the others are counted', async () => {
    const store = new SqliteStore(openDatabase(':memory:'));
    await store.accept(verified('fra', 1), 0);
    for (let n = 0; n < LIMITS.conflictsPerPopMax + 5; n += 1) await conflictIn(store, verified('fra', 1, 1000 + n));
    const { kept, notKept } = await store.conflicts('fra');
    expect([kept.length, notKept]).toEqual([LIMITS.conflictsPerPopMax, 5]);
    expect(Math.max(...kept.map(({ bytes }) => bytes))).toBe(1000 + LIMITS.conflictsPerPopMax - 1);
    // Another PoP has room of its own.
    await store.accept(verified('ams', 1), 0);
    await conflictIn(store, verified('ams', 1, 1000));
    expect((await store.conflicts('ams')).kept).toHaveLength(1);
    await store.close();
  });

  it('is bounded in octets', async () => {
    const store = new SqliteStore(openDatabase(':memory:'));
    await store.accept(verified('fra', 1), 0);
    const bytes = LIMITS.summaryBytesMax - 8;
    const fit = Math.floor(LIMITS.conflictBytesPerPopMax / bytes);
    for (let n = 0; n <= fit; n += 1) await conflictIn(store, verified('fra', 1, bytes + n));
    // A small one fits still.
    await conflictIn(store, verified('fra', 1, 1000));
    const { kept, notKept } = await store.conflicts('fra');
    expect([kept.length, notKept]).toEqual([fit, 2]);
    await store.close();
  });
});
