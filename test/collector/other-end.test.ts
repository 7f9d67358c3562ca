/** What the store finds of the other end of each path: the same window, the newest document, the first of a run. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/collector/store/database.ts';
import { SqliteStore } from '../../src/collector/store/sqlite-store.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import type { Summary } from '../../src/protocol/summary.ts';
import { buildPeer, buildSummary, octetsOf } from '../protocol/summary-fixture.ts';

const SESSION = { class: 'best-effort', family: 'ipv4' as const, flow: 0 };
const NEXT_RUN = '00000000-0000-4000-8000-000000000000';

let store: SqliteStore;
/** Digests of the documents made so far, by PoP and sequence number. */
let digests: Map<string, string>;

beforeEach(() => {
  store = new SqliteStore(openDatabase(':memory:'));
  digests = new Map();
});

afterEach(async () => {
  await store.close();
});

/** A document that names the one before, as far as there is one; `accept` stores it. */
function documentOf(overrides: Partial<Summary> & { sequence: number }) {
  const { pop = 'fra', sequence } = overrides;
  const summary = buildSummary({ ...overrides, prev: digests.get(`${pop} ${sequence - 1}`) ?? null });
  const octets = octetsOf(summary);
  const digest = digestOf(octets);
  digests.set(`${pop} ${sequence}`, digest);
  return { kind: 'summary' as const, summary, octets, signature: 'header..signature', kid: 'kid', digest };
}

async function accept(overrides: Partial<Summary> & { sequence: number }): Promise<void> {
  await store.accept(documentOf(overrides), 0);
}

function reflecting(received: number): Partial<Summary> {
  const reflected = [{ ...SESSION, received, replied: received }];
  return { pop: 'ams', peers: [buildPeer('fra', { reflected }), buildPeer('par')] };
}

async function otherEndsOf(pop: string) {
  const state = (await store.mesh()).find((stored) => stored.pop === pop);
  return Object.fromEntries(state?.newest?.peers.map(({ peer, otherEnd }) => [peer, otherEnd]) ?? []);
}

describe('the other end', () => {
  it('is what the peer says of this PoP in the same window, not in its newest', async () => {
    for (const sequence of [1, 2]) await accept({ sequence, peers: [buildPeer('ams'), buildPeer('par')] });
    for (const sequence of [1, 2, 3]) await accept({ ...reflecting(10 * sequence), sequence });
    const sessions = [{ ...SESSION, received: 20, replied: 20 }];
    const end = { isFirstOfRun: false, clockErrorNs: 1_500_000 };
    expect(await otherEndsOf('fra')).toEqual({ ams: { ...end, sessions }, par: null });
    // For its third window fra has sent nothing yet.
    expect(await otherEndsOf('ams')).toEqual({ fra: null, par: null });
  });

  it('has no sessions where the peer reflects none of this PoP', async () => {
    await accept({ sequence: 1, peers: [buildPeer('ams')] });
    await accept({ sequence: 1, pop: 'ams', peers: [buildPeer('par', { reflected: [] })] });
    expect(await otherEndsOf('fra')).toMatchObject({ ams: { sessions: [] } });
  });

  it('is the newest of the documents that a restarted peer has sent for one window', async () => {
    await accept({ sequence: 2, peers: [buildPeer('ams')] });
    const { window } = buildSummary({ sequence: 2 });
    await accept({ ...reflecting(5), sequence: 2 });
    await accept({ ...reflecting(7), sequence: 3, window, boot_id: NEXT_RUN });
    expect(await otherEndsOf('fra')).toMatchObject({ ams: { isFirstOfRun: true, sessions: [{ received: 7 }] } });
  });
});

describe("a PoP's own end", () => {
  const own = async () => {
    const [state] = await store.mesh();
    return [state?.newest?.isFirstOfRun, state?.newest?.clockErrorNs];
  };

  it('has no bound of its clock where none is stated, or the clock made a step', async () => {
    const { clock } = buildSummary();
    await accept({ sequence: 5, clock: { ...clock, max_error_ns: null } });
    expect(await own()).toEqual([true, null]);
    await accept({ sequence: 6, clock: { ...clock, steps: 1, step_max_ns: 5 } });
    expect(await own()).toEqual([false, null]);
  });

  it('is the first of a run when the document before is of another one, or not there yet', async () => {
    await accept({ sequence: 6 });
    await accept({ sequence: 7, boot_id: NEXT_RUN });
    expect(await own()).toEqual([true, 1_500_000]);
    const between = documentOf({ sequence: 8, boot_id: NEXT_RUN });
    await accept({ sequence: 9, boot_id: NEXT_RUN });
    expect(await own()).toEqual([true, 1_500_000]);
    await store.accept(between, 0);
    expect(await own()).toEqual([false, 1_500_000]);
  });
});
