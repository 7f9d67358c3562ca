/** `POST /v1/documents`: takes one signed document, and answers only when it is durable or refused. */

import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import { ACCEPT_ENCODING } from '../protocol/content-encoding.ts';
import { DOCUMENTS_ROUTE } from '../protocol/document-kind.ts';
import { SIGNATURE_HEADER } from '../protocol/jws.ts';
import { asPopprobeError, sendError, statusOf } from './answers.ts';
import { readOctets } from './body.ts';
import type { IngestCounters } from './counters.ts';
import type { Keyring, Signer } from './keyring.ts';
import type { SummaryStore } from './store/store.ts';
import { signerOf, verifyDocument } from './verify.ts';

export interface IngestParts {
  keyring: Keyring;
  store: SummaryStore;
  counters: IngestCounters;
  log: Logger;
  /** CLOCK_REALTIME, ms since the Unix epoch. */
  nowMs: () => number;
}

/** Adds the route. Delivery is at least once, acceptance exactly once: the same octets again answer `duplicate`. */
export function registerIngest(app: FastifyInstance, { keyring, store, counters, log, nowMs }: IngestParts): void {
  const refuse = (reply: FastifyReply, thrown: unknown, signer: Signer | null): FastifyReply => {
    const error = asPopprobeError(thrown);
    counters.countRefusal(error.code);
    const whose = { code: error.code, pop: signer?.pop, kid: signer?.kid };
    if (statusOf(error.code) >= 500) log.error({ ...whose, err: error }, 'document not taken');
    else log.warn({ ...whose, reason: error.message }, 'document refused');
    return sendError(reply, error);
  };

  app.route({
    method: 'POST',
    url: DOCUMENTS_ROUTE,
    onSend: (_request, reply, payload, done) => {
      // In an answer it says how the next body may be encoded (RFC 9110 section 12.5.3).
      reply.header('accept-encoding', ACCEPT_ENCODING);
      done(null, payload);
    },
    errorHandler: (error, _request, reply) => void refuse(reply, error, null),
    handler: async (request, reply) => {
      let signer: Signer | null = null;
      try {
        const octets = await readOctets(request.raw, request.headers['content-encoding']);
        const line = signatureLine(request.headers);
        signer = signerOf(line, keyring);
        const document = await verifyDocument(octets, line, signer);
        const acceptance = await store.accept(document, nowMs());
        counters.countAcceptance(acceptance);
        const { pop, sequence } = document.summary;
        log.info({ pop, kid: document.kid, sequence, digest: document.digest }, `document ${acceptance}`);
        return { status: acceptance, pop, sequence, digest: document.digest };
      } catch (error) {
        return refuse(reply, error, signer);
      }
    },
  });
}

function signatureLine(headers: IncomingHttpHeaders): string {
  const line = headers[SIGNATURE_HEADER];
  if (typeof line === 'string') return line;
  throw new PopprobeError('malformed', {
    expected: `the signature in the header ${SIGNATURE_HEADER}`,
    found: 'no such header',
    remedy: 'send the line that the agent wrote',
  });
}
