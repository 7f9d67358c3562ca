/** Records over HTTP: accepted once, in any order, and read as events, as documents of the chain, and as declared gaps. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import type { EventList } from '../../src/collector/event-list.ts';
import type { Mesh } from '../../src/collector/mesh.ts';
import { documentListSchema } from '../../src/protocol/document-list.ts';
import { gapListSchema } from '../../src/protocol/gap-list.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { buildRecord, EVENTS } from '../protocol/record-fixture.ts';
import { signDocument, WINDOW_START_S } from '../protocol/summary-fixture.ts';
import { NOW_MS, refusalCode, Rig } from './harness.ts';
import { type ChainedDocument, eventLink, linkAll, storeAll, windowLink } from './stored-chain.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.start();
});

afterEach(async () => {
  await rig.end();
});

/** Windows 0 and 1, with a record of each kind between them: numbers 4 to 12, behind a gap that one of them declares. */
async function chainOfAll(): Promise<ChainedDocument[]> {
  const events = Object.values(EVENTS).map((what, index) => eventLink(what, 10 + index));
  return await linkAll(rig.keys.fra, [windowLink(0), ...events, windowLink(1)], 4);
}

async function postAll(documents: readonly ChainedDocument[]): Promise<void> {
  for (const document of documents) {
    expect(await rig.post(document)).toMatchObject({ status: 200, json: { status: 'accepted' } });
  }
}

async function eventsOf(query: string): Promise<EventList> {
  const answer = await rig.get(`/api/v1/events${query}`);
  expect(answer.status).toBe(200);
  return answer.json as EventList;
}

async function gapsOf(pop = 'fra', query = '') {
  const answer = await rig.get(`/api/v1/gaps/${pop}${query}`);
  expect(answer.status).toBe(200);
  return gapListSchema.strict().parse(answer.json);
}

describe('a record', () => {
  it('is accepted, stored as it was signed, and a duplicate the second time', async () => {
    const [, record] = await chainOfAll();
    if (!record) throw new Error('a record expected');
    const { octets, signature, digest, sequence } = record;
    expect(await rig.post(record)).toMatchObject({ json: { status: 'accepted', pop: 'fra', sequence, digest } });
    const before = rig.dump();
    expect(before['document']).toMatchObject([{ sequence, octets, signature }]);
    expect(before['window_row']).toEqual([]);
    expect(await rig.post(record)).toMatchObject({ status: 200, json: { status: 'duplicate' } });
    expect(rig.dump()).toEqual(before);
    const answer = await rig.get(`/api/v1/documents/fra/${sequence}`);
    expect([answer.text, answer.headers[SIGNATURE_HEADER]]).toEqual([octets.toString(), signature]);
  });

  it('of every kind leaves the same tables in whatever order the chain arrives', async () => {
    const chain = await chainOfAll();
    await postAll(chain);
    const inOrder = rig.dump();
    await rig.end();
    const { keys } = rig;
    rig = await Rig.start(keys);
    const [first, second, ...rest] = chain;
    if (!first || !second) throw new Error('two documents expected');
    await postAll([...rest.toReversed(), first, second]);
    const dump = rig.dump();
    for (const table of Object.keys(inOrder)) {
      expect(new Set(dump[table]?.map((row) => JSON.stringify(row)))).toEqual(
        new Set(inOrder[table]?.map((row) => JSON.stringify(row))),
      );
    }
    expect(rig.counters.snapshot()).toMatchObject({ accepted: 9, accepted_ahead: 0, accepted_late: 8 });
  });

  it('is refused when it contradicts itself, or is larger than a record can be, and leaves nothing', async () => {
    const before = rig.dump();
    const record = buildRecord({ ...EVENTS.gap, ranges: [[5, 5]] });
    const contradicting = await rig.post(await signDocument(record, rig.keys.fra, 'record'));
    expect([contradicting.status, refusalCode(contradicting.json)]).toEqual([422, 'schema']);
    const long = { ...buildRecord(EVENTS.pair), note: 'x'.repeat(LIMITS.recordBytesMax) };
    const large = await rig.post(await signDocument(long, rig.keys.fra, 'record'));
    expect([large.status, refusalCode(large.json)]).toEqual([413, 'too_large']);
    expect(rig.dump()).toEqual(before);
  });

  it('is no summary: what was signed as one kind is read as no other', async () => {
    const [summary, record] = await chainOfAll();
    if (!summary || !record) throw new Error('two documents expected');
    const before = rig.dump();
    const asRecord = await signDocument(JSON.parse(summary.octets.toString()), rig.keys.fra, 'record');
    const asSummary = await signDocument(JSON.parse(record.octets.toString()), rig.keys.fra, 'summary');
    for (const document of [asRecord, asSummary]) {
      const answer = await rig.post(document);
      expect([answer.status, refusalCode(answer.json)]).toEqual([422, 'schema']);
    }
    // The line of one kind over octets of the other.
    const answer = await rig.post({ ...summary, signature: record.signature });
    expect([answer.status, refusalCode(answer.json)]).toEqual([401, 'bad_signature']);
    expect(rig.dump()).toEqual(before);
  });
});

describe('the events', () => {
  it('are those of the records, by time, each with its document', async () => {
    const chain = await chainOfAll();
    await postAll(chain.toReversed());
    const { events, next_after } = await eventsOf('');
    expect(next_after).toBeNull();
    expect(events).toEqual(
      Object.values(EVENTS).map((event, index) => ({
        pop: 'fra',
        sequence: 5 + index,
        at: new Date((WINDOW_START_S + 10 + index) * 1000).toISOString(),
        event,
      })),
    );
  });

  it('are found by PoP, kind and time', async () => {
    await postAll(await chainOfAll());
    const own = buildRecord({ ...EVENTS.pair, peer: 'fra' }, { pop: 'ams', at_unix_ms: (WINDOW_START_S + 12) * 1000 });
    await rig.post(await signDocument(own, rig.keys.ams, 'record'));
    const found = async (query: string) =>
      (await eventsOf(query)).events.map(({ pop, sequence }) => `${pop}/${sequence}`);
    expect(await found('?kind=pair')).toEqual(['ams/5', 'fra/7']);
    expect(await found('?kind=pair&pop=fra')).toEqual(['fra/7']);
    expect(await found('?pop=ams')).toEqual(['ams/5']);
    expect(await found(`?from=${WINDOW_START_S + 11}&to=${WINDOW_START_S + 13}`)).toEqual(['fra/6', 'ams/5', 'fra/7']);
    expect(await found('?pop=par')).toEqual([]);
    const stranger = await rig.get('/api/v1/events?pop=tokyo');
    expect([stranger.status, refusalCode(stranger.json)]).toEqual([404, 'not_found']);
  });

  it('come in pages that together are all of them', async () => {
    const n = 2 * LIMITS.listedEventsMax + 3;
    // Three of one instant each, so that a page ends within an instant.
    const links = Array.from({ length: n }, (_, index) => eventLink(EVENTS.pair, Math.floor(index / 3)));
    await storeAll(rig, await linkAll(rig.keys.fra, links));
    const sequences: number[] = [];
    let pages = 0;
    for (let after: string | null = ''; after !== null; pages += 1) {
      const page: EventList = await eventsOf(after === '' ? '?pop=fra' : `?pop=fra&after=${after}`);
      sequences.push(...page.events.map(({ sequence }) => sequence));
      after = page.next_after;
    }
    expect([pages, sequences]).toEqual([3, Array.from({ length: n }, (_, index) => index + 1)]);
  });

  it.each(['?kind=party', '?after=1', '?after=1.fra', '?from=x', '?pop=fra&pop=ams', '?peer=ams'])(
    'refuse %s',
    async (query) => {
      const answer = await rig.get(`/api/v1/events${query}`);
      expect([answer.status, refusalCode(answer.json)]).toEqual([400, 'malformed']);
    },
  );
});

describe('the list of documents', () => {
  it('has records by their instant, summaries by their windows', async () => {
    const chain = await chainOfAll();
    await postAll(chain);
    const list = async (query: string) => {
      const { json } = await rig.get(`/api/v1/documents/fra${query}`);
      return documentListSchema.parse(json).documents;
    };
    expect((await list('')).map(({ sequence, digest }) => ({ sequence, digest }))).toEqual(
      chain.map(({ sequence, digest }) => ({ sequence, digest })),
    );
    const [fromS, toS] = [WINDOW_START_S + 10, WINDOW_START_S + 12];
    expect(await list(`?from=${fromS}&to=${toS}`)).toEqual([
      { kind: 'record', sequence: 5, digest: chain[1]?.digest, at_unix_ms: fromS * 1000 },
      { kind: 'record', sequence: 6, digest: chain[2]?.digest, at_unix_ms: fromS * 1000 + 1000 },
    ]);
    expect(await list(`?from=${WINDOW_START_S + 60}`)).toMatchObject([{ kind: 'summary', sequence: 12 }]);
    expect(await list(`?from=${WINDOW_START_S}&to=${WINDOW_START_S + 1}`)).toMatchObject([{ sequence: 4 }]);
  });

  it('keeps to the order of the numbers where the times do not', async () => {
    const links = [windowLink(1), eventLink(EVENTS.pair, 30), windowLink(0), eventLink(EVENTS.pair, 90), windowLink(2)];
    await postAll(await linkAll(rig.keys.fra, links));
    const { json } = await rig.get(`/api/v1/documents/fra?from=${WINDOW_START_S}&to=${WINDOW_START_S + 60}`);
    expect(documentListSchema.parse(json).documents.map(({ sequence }) => sequence)).toEqual([2, 3]);
  });
});

describe('the gaps', () => {
  it('are the numbers between the first document and the last, declared by a record or open', async () => {
    const links = [
      ...Array.from({ length: 9 }, (_, index) => windowLink(index)),
      eventLink(
        {
          ...EVENTS.gap,
          ranges: [
            [2, 3],
            [6, 6],
          ],
        },
        600,
      ),
    ];
    const chain = await linkAll(rig.keys.fra, links);
    const without = (...gone: number[]) => chain.filter(({ sequence }) => !gone.includes(sequence));
    await postAll(without(2, 3, 4, 6, 8));
    expect(await gapsOf()).toEqual({
      pop: 'fra',
      gaps: [
        { from_sequence: 2, to_sequence: 3, state: 'declared', declared_by: 10, reason: 'spool_full' },
        { from_sequence: 4, to_sequence: 4, state: 'open', declared_by: null, reason: null },
        { from_sequence: 6, to_sequence: 6, state: 'declared', declared_by: 10, reason: 'spool_full' },
        { from_sequence: 8, to_sequence: 8, state: 'open', declared_by: null, reason: null },
      ],
      next_after: null,
    });
    expect((await gapsOf('fra', '?after=2')).gaps.map(({ from_sequence }) => from_sequence)).toEqual([3, 4, 6, 8]);
    // What was declared may come after all.
    await postAll(chain.filter(({ sequence }) => sequence === 3 || sequence === 4));
    expect((await gapsOf()).gaps.map(({ from_sequence, state }) => [from_sequence, state])).toEqual([
      [2, 'declared'],
      [6, 'declared'],
      [8, 'open'],
    ]);
    await postAll(chain.filter(({ sequence }) => [2, 6, 8].includes(sequence)));
    expect(await gapsOf()).toEqual({ pop: 'fra', gaps: [], next_after: null });
  });

  it('come in pages that together are all of them', async () => {
    const n = LIMITS.listedGapsMax + 2;
    const links = Array.from({ length: 2 * n + 1 }, () => eventLink(EVENTS.pair, 0));
    const chain = (await linkAll(rig.keys.fra, links)).filter(({ sequence }) => sequence % 2 === 1);
    await storeAll(rig, chain);
    const first = await gapsOf();
    expect([first.gaps.length, first.next_after]).toEqual([LIMITS.listedGapsMax, 2 * LIMITS.listedGapsMax]);
    const second = await gapsOf('fra', `?after=${first.next_after}`);
    expect(second.gaps.map(({ from_sequence }) => from_sequence)).toEqual([2 * n - 2, 2 * n]);
    expect(second.next_after).toBeNull();
  });

  it('are none of a PoP that has sent nothing, and not found of one that nobody knows', async () => {
    expect(await gapsOf('par')).toEqual({ pop: 'par', gaps: [], next_after: null });
    const stranger = await rig.get('/api/v1/gaps/tokyo');
    expect([stranger.status, refusalCode(stranger.json)]).toEqual([404, 'not_found']);
    const misasked = await rig.get('/api/v1/gaps/fra?from=1');
    expect([misasked.status, refusalCode(misasked.json)]).toEqual([400, 'malformed']);
  });
});

describe('the mesh', () => {
  const popOf = async (): Promise<Mesh['pops'][number] | undefined> =>
    ((await rig.get('/api/v1/mesh')).json as Mesh).pops.find(({ pop }) => pop === 'fra');

  it('shows the newest window also when events came after it, or alone', async () => {
    const chain = await linkAll(rig.keys.fra, [eventLink(EVENTS.pair, 1), windowLink(0), eventLink(EVENTS.pair, 70)]);
    await postAll(chain.slice(0, 1));
    expect(await popOf()).toMatchObject({ last_sequence: 1, documents: 1, window_start: null });
    await postAll(chain.slice(1));
    expect(await popOf()).toMatchObject({ last_sequence: 3, documents: 3, window_start: '2026-01-01T00:00:00.000Z' });
  });

  it('shows how far the newest document is from the clock of the collector', async () => {
    const atMs = NOW_MS + 2500;
    await postAll(
      await linkAll(rig.keys.fra, [eventLink(EVENTS.pair, 0, { at_unix_ms: atMs, at: new Date(atMs).toISOString() })]),
    );
    expect(await popOf()).toMatchObject({ skew_ms: 2500 });
  });
});

describe('what is unusual is counted', () => {
  const healthz = async () => (await rig.get('/healthz')).json;

  it('late documents, and those that leave numbers out', async () => {
    const chain = await linkAll(
      rig.keys.fra,
      [0, 1, 2, 3, 4].map((index) => windowLink(index)),
    );
    const [first, second, third, fourth, fifth] = chain;
    if (!first || !second || !third || !fourth || !fifth) throw new Error('five documents expected');
    for (const document of [second, fourth, fifth, first, third, third]) await rig.post(document);
    expect(await healthz()).toEqual({
      status: 'ok',
      accepted: 5,
      accepted_ahead: 1,
      accepted_late: 2,
      from_future: 0,
      duplicate: 1,
      refused: {},
    });
  });

  it('documents from the future, which are accepted', async () => {
    const at = (ms: number) => ({ at_unix_ms: ms, at: new Date(ms).toISOString() });
    const [earlyS, lateS] = [NOW_MS / 1000 - 60, NOW_MS / 1000 + LIMITS.clockSkewMsMax / 1000 - 59];
    const windowAt = (startS: number) => ({
      start: new Date(startS * 1000).toISOString(),
      start_unix_s: startS,
      length_s: 60,
    });
    const links = [
      eventLink(EVENTS.pair, 0, at(NOW_MS + LIMITS.clockSkewMsMax)),
      eventLink(EVENTS.pair, 0, at(NOW_MS + LIMITS.clockSkewMsMax + 1)),
      windowLink(0, { window: windowAt(earlyS) }),
      windowLink(0, { window: windowAt(lateS) }),
    ];
    await postAll(await linkAll(rig.keys.fra, links));
    expect(await healthz()).toMatchObject({ accepted: 4, from_future: 2 });
  });
});
