/** `POST /v1/documents`: takes one signed document, and answers only when it is durable or refused. */

import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { ACCEPT_ENCODING } from '../protocol/content-encoding.ts';
import { DOCUMENTS_ROUTE } from '../protocol/document-kind.ts';
import { endMsOf, placeOf, timeOf } from '../protocol/document-place.ts';
import { SIGNATURE_HEADER } from '../protocol/jws.ts';
import { isBacklogPriority, PRIORITY_HEADER } from '../protocol/priority.ts';
import type { Admission } from './admission.ts';
import { asPopprobeError, sendError, statusOf } from './answers.ts';
import { decodeBody, receiveBody } from './body.ts';
import type { IngestCounters } from './counters.ts';
import { refuseRevoked } from './key-period.ts';
import type { Keyring } from './keyring.ts';
import type { DocumentStore } from './store/store.ts';
import { type Claim, claimOf, type VerifiedDocument, verifyDocument } from './verify.ts';

export interface IngestParts {
  keyring: Keyring;
  store: DocumentStore;
  admission: Admission;
  counters: IngestCounters;
  log: Logger;
  /** CLOCK_REALTIME, ms since the Unix epoch. */
  nowMs: () => number;
}

/** Adds the route. Delivery is at least once, acceptance exactly once: the same octets again answer `duplicate`. */
export function registerIngest(app: FastifyInstance, parts: IngestParts): void {
  const { keyring, store, admission, counters, log, nowMs } = parts;
  const refuse = (reply: FastifyReply, thrown: unknown, claim: Claim | null): FastifyReply => {
    const error = asPopprobeError(thrown);
    counters.countRefusal(error.code);
    const whose = { code: error.code, pop: claim?.signer.pop, kid: claim?.signer.kid };
    if (error.code === 'busy') {
      log[admission.isNewlyBusy() ? 'warn' : 'debug']({ reason: error.message }, 'too much to do');
    } else if (statusOf(error.code) >= 500) log.error({ ...whose, err: error }, 'document not taken');
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
      let claim: Claim | null = null;
      try {
        // A stranger costs no more than this line: his body is neither kept nor decompressed.
        const line = signatureLine(request.headers);
        const known = claimOf(line, keyring);
        claim = known;
        refuseRevoked(known.signer, nowMs());
        const isBacklog = isBacklogPriority(request.headers[PRIORITY_HEADER]);
        admission.mustHaveRoom(isBacklog);
        const received = await admission.receive((room) => receiveBody(request.raw, room));
        return await admission.run({ octets: received.length, isBacklog }, async () => {
          const octets = await decodeBody(received, request.headers['content-encoding']);
          const document = await verifyDocument(octets, line, known);
          const receivedAtMs = nowMs();
          const acceptance = await store.accept(document, receivedAtMs);
          counters.countAcceptance(acceptance);
          if (acceptance.status === 'accepted') noticeFuture(document, receivedAtMs, parts);
          const { pop, sequence } = placeOf(document);
          const { kid, digest, kind } = document;
          log.info({ pop, kid, kind, sequence, digest, ...acceptance }, `document ${acceptance.status}`);
          return { status: acceptance.status, pop, sequence, digest };
        });
      } catch (error) {
        return refuse(reply, error, claim);
      }
    },
  });
}

/** Evidence is evidence: a document from the future is taken, but one of the two clocks is wrong. */
function noticeFuture(document: VerifiedDocument, receivedAtMs: number, { counters, log }: IngestParts): void {
  const aheadMs = endMsOf(timeOf(document)) - receivedAtMs;
  if (aheadMs <= LIMITS.clockSkewMsMax) return;
  counters.countFromFuture();
  const { pop, sequence } = placeOf(document);
  log.warn({ pop, sequence, aheadMs }, 'document from the future: compare the clocks of this host and of the PoP');
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
