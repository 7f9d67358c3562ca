/** The read side of the collector: the mesh, the evidence, and whether it is alive. */

import type { FastifyInstance } from 'fastify';
import { PopprobeError } from '../base/errors.ts';
import { SIGNATURE_HEADER } from '../protocol/jws.ts';
import type { IngestCounters } from './counters.ts';
import { listOf, queryOf } from './document-list.ts';
import { meshOf } from './mesh.ts';
import type { SummaryStore } from './store/store.ts';

export interface ApiParts {
  store: SummaryStore;
  counters: IngestCounters;
  /** Names of all PoPs of the mesh. */
  pops: readonly string[];
  /** CLOCK_REALTIME, ms since the Unix epoch. */
  nowMs: () => number;
}

export function registerApi(app: FastifyInstance, { store, counters, pops, nowMs }: ApiParts): void {
  app.get('/healthz', () => ({ status: 'ok', ...counters.snapshot() }));

  app.get('/api/v1/mesh', async () => meshOf(pops, await store.mesh(), nowMs()));

  app.get<{ Params: { pop: string }; Querystring: Record<string, unknown> }>(
    '/api/v1/documents/:pop',
    async ({ params: { pop }, query }) => {
      const list = listOf(pop, await store.listDocuments(queryOf(pop, query)));
      if (list.documents.length === 0 && !pops.includes(pop)) throw noSuchPop(pop);
      return list;
    },
  );

  app.get<{ Params: { pop: string; sequence: string } }>(
    '/api/v1/documents/:pop/:sequence',
    async ({ params }, reply) => {
      const document = await store.document(params.pop, sequenceOf(params.sequence));
      if (document === null) throw noSuchDocument(params.pop, params.sequence);
      // The octets as they were signed: whoever fetches them verifies them with the line beside them.
      return await reply
        .header('content-type', 'application/json')
        .header(SIGNATURE_HEADER, document.signature)
        .send(document.octets);
    },
  );
}

/** The number, or 0, under which nothing is stored. */
function sequenceOf(text: string): number {
  return /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : 0;
}

function noSuchPop(pop: string): PopprobeError {
  return new PopprobeError('not_found', {
    expected: 'the name of a PoP',
    found: `no PoP ${pop}`,
    remedy: '/api/v1/mesh lists the PoPs',
  });
}

function noSuchDocument(pop: string, sequence: string): PopprobeError {
  return new PopprobeError('not_found', {
    expected: 'the name of a PoP and the sequence number of a stored document',
    found: `no document ${sequence} of ${pop}`,
    remedy: '/api/v1/mesh lists the last sequence number of each PoP',
  });
}
