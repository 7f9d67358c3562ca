/** The list of a PoP's documents over HTTP: which it has, page by page, and what it refuses. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { documentListSchema } from '../../src/protocol/document-list.ts';
import { WINDOW_START_S } from '../protocol/summary-fixture.ts';
import { refusalCode, Rig } from './harness.ts';
import { type ChainedDocument, chainOf, storeAll } from './stored-chain.ts';

const DOCUMENTS = 2 * LIMITS.listedDocumentsMax;

let rig: Rig;
let chain: ChainedDocument[];

beforeAll(async () => {
  rig = await Rig.start();
  chain = await chainOf(rig.keys.fra, DOCUMENTS, { firstSequence: 100 });
  await storeAll(rig, chain);
  await rig.post(await rig.sign({ pop: 'ams', sequence: 7 }, rig.keys.ams));
});

afterAll(async () => {
  await rig.end();
});

async function list(query: string, pop = 'fra') {
  const answer = await rig.get(`/api/v1/documents/${pop}${query}`);
  expect(answer.status).toBe(200);
  return documentListSchema.strict().parse(answer.json);
}

async function sequences(query: string): Promise<number[]> {
  return (await list(query)).documents.map(({ sequence }) => sequence);
}

describe('the list', () => {
  it('names number, digest and window of each document, of this PoP alone', async () => {
    const { documents, pop } = await list(`?to=${WINDOW_START_S + 120}`);
    expect(pop).toBe('fra');
    expect(documents).toEqual(
      chain.slice(0, 2).map(({ sequence, digest }, index) => ({
        kind: 'summary',
        sequence,
        digest,
        window_start_unix_s: WINDOW_START_S + index * 60,
        window_length_s: 60,
      })),
    );
  });

  it('comes in pages that together are all of it', async () => {
    const pages: number[][] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page: Awaited<ReturnType<typeof list>> = await list(`?after=${after}`);
      pages.push(page.documents.map(({ sequence }) => sequence));
      after = page.next_after;
    }
    // The last full page cannot know that nothing follows.
    expect(pages.map(({ length }) => length)).toEqual([LIMITS.listedDocumentsMax, LIMITS.listedDocumentsMax, 0]);
    expect(pages.flat()).toEqual(chain.map(({ sequence }) => sequence));
  });

  it('has windows that start at from and before to', async () => {
    const [fromS, toS] = [WINDOW_START_S + 60, WINDOW_START_S + 180];
    expect(await sequences(`?from=${fromS}&to=${toS}`)).toEqual([101, 102]);
    expect(await sequences(`?from=${fromS + 1}&to=${toS + 1}`)).toEqual([102, 103]);
    expect(await sequences(`?from=${fromS}&to=${toS}&after=101`)).toEqual([102]);
    expect(await sequences(`?from=${toS}&to=${fromS}`)).toEqual([]);
  });

  it('is empty for a PoP that has sent nothing, and not found for one that nobody knows', async () => {
    expect(await list('', 'par')).toEqual({ pop: 'par', documents: [], next_after: null });
    const answer = await rig.get('/api/v1/documents/tokyo');
    expect([answer.status, refusalCode(answer.json)]).toEqual([404, 'not_found']);
  });

  it.each(['?from=x', '?from=-1', '?to=1.5', '?after=', '?after=99999999999999999', '?from=1&from=2', '?form=1'])(
    'refuses %s',
    async (query) => {
      const answer = await rig.get(`/api/v1/documents/fra${query}`);
      expect([answer.status, refusalCode(answer.json)]).toEqual([400, 'malformed']);
    },
  );
});
