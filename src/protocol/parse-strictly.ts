/** The strict reading of signed octets: UTF-8, JSON of a bounded extent, one schema, and no contradiction. */

import type { z } from 'zod';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { excessOf } from './json-extent.ts';
import { parseJsonStrictly } from './strict-json.ts';

const EXTENT_MAX = { levels: LIMITS.documentLevelsMax, members: LIMITS.documentMembersMax };

/** What makes a document one of its kind. */
export interface DocumentForm<Schema extends z.ZodType> {
  /** As the member `schema` names it. */
  readonly name: string;
  readonly schema: Schema;
  /** What no schema can say: what is wrong and where, or null. */
  readonly contradictionIn: (document: z.output<Schema>) => string | null;
  /** Octets of the longest one. */
  readonly bytesMax: number;
}

/**
 * Reads one document. Call it only on octets whose signature has been verified.
 *
 * @throws PopprobeError `too_large` over the limit of its kind; `malformed` when the octets are not UTF-8, not JSON, or
 * JSON that is too deep or too wide, or names a member twice; `schema` when the document breaks the schema or contradicts itself, with the place in `found`.
 */
export function parseStrictly<Schema extends z.ZodType>(
  octets: Uint8Array,
  { name, schema, contradictionIn, bytesMax }: DocumentForm<Schema>,
): z.output<Schema> {
  if (octets.length > bytesMax) throw tooLarge(name, bytesMax, octets.length);
  const result = schema.safeParse(parseJson(octets));
  if (!result.success) {
    const issue = result.error.issues[0];
    const place = issue === undefined || issue.path.length === 0 ? 'the document' : issue.path.join('.');
    throw schemaError(`a document of schema ${name}`, `${place}: ${issue?.message ?? 'invalid'}`);
  }
  const contradiction = contradictionIn(result.data);
  if (contradiction !== null) throw schemaError('a document that agrees with itself', contradiction);
  return result.data;
}

function parseJson(octets: Uint8Array): unknown {
  const excess = excessOf(octets, EXTENT_MAX);
  if (excess !== null) throw malformed(`JSON of at most ${EXTENT_MAX[excess]} ${excess}`, 'more');
  try {
    return parseJsonStrictly(octets);
  } catch (cause) {
    throw malformed('JSON in UTF-8', cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function tooLarge(name: string, bytesMax: number, bytes: number): PopprobeError {
  return new PopprobeError('too_large', {
    expected: `at most ${bytesMax} octets in a document of schema ${name}`,
    found: `${bytes}`,
    remedy: "compare the agent's and the collector's versions",
  });
}

function malformed(expected: string, found: string, cause?: unknown): PopprobeError {
  return new PopprobeError('malformed', {
    expected,
    found,
    remedy: 'send the octets exactly as they were signed',
    cause,
  });
}

function schemaError(expected: string, found: string): PopprobeError {
  const remedy = "compare the agent's and the collector's versions; docs/protocol.md describes the document";
  return new PopprobeError('schema', { expected, found, remedy });
}
