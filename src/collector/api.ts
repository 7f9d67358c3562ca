/** The read side of the collector: the mesh, the evidence, the chains, their events, and whether it is alive. */

import type { FastifyInstance, FastifyReply } from 'fastify';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { SIGNATURE_HEADER } from '../protocol/jws.ts';
import { conflictListOf } from './conflict-list.ts';
import { limitReaders } from './connections.ts';
import type { IngestCounters } from './counters.ts';
import { documentListOf, documentQueryOf } from './document-list.ts';
import { eventListOf, eventQueryOf } from './event-list.ts';
import { gapListOf, gapsAfter } from './gap-list.ts';
import { meshOf } from './mesh.ts';
import { type RequestQuery, requireParameters } from './query.ts';
import { SharedAnswer } from './shared-answer.ts';
import type { DocumentStore, StoredDocument } from './store/store.ts';

export interface ApiParts {
  store: DocumentStore;
  counters: IngestCounters;
  /** Names of all PoPs that are registered now. */
  pops: () => readonly string[];
  /** CLOCK_REALTIME, ms since the Unix epoch. */
  nowMs: () => number;
  /** Monotonic clock, ms. */
  monotonicMs: () => number;
}

/** A route of one PoP. */
interface OfPop {
  Params: { pop: string };
  Querystring: RequestQuery;
}

export function registerApi(app: FastifyInstance, parts: ApiParts): void {
  app.get('/healthz', () => ({ status: 'ok', ...parts.counters.snapshot() }));
  app.register((routes, _options, done) => {
    limitReaders(routes);
    registerLists(routes, parts);
    registerDocuments(routes, parts);
    registerConflicts(routes, parts);
    done();
  });
}

function registerLists(app: FastifyInstance, parts: ApiParts): void {
  const { store, pops, nowMs, monotonicMs } = parts;
  // Of 100 PoPs it is 22 MB, and takes more than a second.
  const mesh = new SharedAnswer(
    async () => Buffer.from(JSON.stringify(meshOf(pops(), await store.mesh(), nowMs()))),
    monotonicMs,
  );
  app.get('/api/v1/mesh', async (_request, reply) => {
    return reply.header('content-type', 'application/json; charset=utf-8').send(await mesh.give());
  });

  app.get<{ Querystring: RequestQuery }>('/api/v1/events', async ({ query }) => {
    const asked = eventQueryOf(query);
    const list = eventListOf(await store.listEvents(asked));
    if (list.events.length === 0 && asked.pop !== null) await requirePop(parts, asked.pop);
    return list;
  });

  app.get<OfPop>('/api/v1/gaps/:pop', async ({ params: { pop }, query }) => {
    const list = gapListOf(pop, await store.listGaps(pop, gapsAfter(query), LIMITS.listedGapsMax));
    if (list.gaps.length === 0) await requirePop(parts, pop);
    return list;
  });
}

function registerDocuments(app: FastifyInstance, parts: ApiParts): void {
  const { store } = parts;
  app.get<OfPop>('/api/v1/documents/:pop', async ({ params: { pop }, query }) => {
    const list = documentListOf(pop, await store.listDocuments(documentQueryOf(pop, query)));
    if (list.documents.length === 0) await requirePop(parts, pop);
    return list;
  });

  app.get<{ Params: { pop: string; sequence: string } }>(
    '/api/v1/documents/:pop/:sequence',
    async ({ params: { pop, sequence } }, reply) => {
      const document = await store.document(pop, sequenceOf(sequence));
      if (document !== null) return sendDocument(reply, document);
      throw new PopprobeError('not_found', {
        expected: 'the name of a PoP and the sequence number of a stored document',
        found: `no document ${sequence} of ${pop}`,
        remedy: '/api/v1/mesh lists the last sequence number of each PoP',
      });
    },
  );
}

function registerConflicts(app: FastifyInstance, parts: ApiParts): void {
  const { store } = parts;
  app.get<OfPop>('/api/v1/conflicts/:pop', async ({ params: { pop }, query }) => {
    requireParameters(query, []);
    const list = conflictListOf(pop, await store.conflicts(pop));
    if (list.conflicts.length === 0) await requirePop(parts, pop);
    return list;
  });

  app.get<{ Params: { pop: string; sequence: string; digest: string } }>(
    '/api/v1/conflicts/:pop/:sequence/:digest',
    async ({ params: { pop, sequence, digest } }, reply) => {
      const document = await store.conflict(pop, sequenceOf(sequence), digest);
      if (document !== null) return sendDocument(reply, document);
      throw new PopprobeError('not_found', {
        expected: 'the name of a PoP, a sequence number and a digest of a conflicting document',
        found: `no such document ${sequence} of ${pop}`,
        remedy: '/api/v1/conflicts/POP lists them',
      });
    },
  );
}

/** The octets as they were signed: whoever fetches them verifies them with the line beside them. */
function sendDocument(reply: FastifyReply, { octets, signature }: StoredDocument): FastifyReply {
  return reply.header('content-type', 'application/json').header(SIGNATURE_HEADER, signature).send(octets);
}

/** Nothing of a PoP is an answer only when there is such a PoP: configured, or once configured and stored. */
async function requirePop({ pops, store }: ApiParts, pop: string): Promise<void> {
  if (pops().includes(pop)) return;
  const any = { pop, fromS: 0, toS: Number.MAX_SAFE_INTEGER, after: 0, limit: 1 };
  if ((await store.listDocuments(any)).length > 0) return;
  throw new PopprobeError('not_found', {
    expected: 'the name of a PoP',
    found: `no PoP ${pop}`,
    remedy: '/api/v1/mesh lists the PoPs',
  });
}

/** The number, or 0, under which nothing is stored. */
function sequenceOf(text: string): number {
  return /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : 0;
}
