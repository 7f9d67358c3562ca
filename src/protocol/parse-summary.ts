/** The strict reading of a summary document: for whoever receives one. */

import { PopprobeError } from '../base/errors.ts';
import type { Summary } from './summary.ts';
import { contradictionIn } from './summary-contradictions.ts';
import { SUMMARY_SCHEMA, summarySchema } from './summary-schema.ts';

/**
 * Reads the octets of one summary. Call it only on octets whose signature has been verified.
 *
 * @throws PopprobeError `malformed` when the octets are not UTF-8 or not JSON; `schema` when the document breaks the
 * schema or contradicts itself, with the place in `found`.
 */
export function parseSummary(octets: Uint8Array): Summary {
  const result = summarySchema.safeParse(parseJson(octets));
  if (!result.success) {
    const issue = result.error.issues[0];
    const place = issue === undefined || issue.path.length === 0 ? 'the document' : issue.path.join('.');
    throw schemaError(`a document of schema ${SUMMARY_SCHEMA}`, `${place}: ${issue?.message ?? 'invalid'}`);
  }
  const contradiction = contradictionIn(result.data);
  if (contradiction !== null) throw schemaError('a document that agrees with itself', contradiction);
  return result.data;
}

function parseJson(octets: Uint8Array): unknown {
  try {
    // ignoreBOM keeps a byte order mark in the text, where JSON.parse refuses it (RFC 8259 section 8.1).
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets));
  } catch (cause) {
    throw new PopprobeError('malformed', {
      expected: 'JSON in UTF-8',
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'send the octets exactly as they were signed',
      cause,
    });
  }
}

function schemaError(expected: string, found: string): PopprobeError {
  const remedy = "compare the agent's and the collector's versions; docs/protocol.md describes the document";
  return new PopprobeError('schema', { expected, found, remedy });
}
