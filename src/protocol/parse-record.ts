/** The strict reading of a record document: for whoever receives one. */

import { LIMITS } from '../base/limits.ts';
import { type DocumentForm, parseStrictly } from './parse-strictly.ts';
import type { ChainRecord } from './record.ts';
import { contradictionIn } from './record-contradictions.ts';
import { RECORD_SCHEMA, recordSchema } from './record-schema.ts';

const FORM: DocumentForm<typeof recordSchema> = {
  name: RECORD_SCHEMA,
  schema: recordSchema,
  contradictionIn,
  bytesMax: LIMITS.recordBytesMax,
};

/**
 * Reads the octets of one record. Call it only on octets whose signature has been verified.
 *
 * @throws PopprobeError `too_large`, `malformed` or `schema`, as `parseStrictly`
 */
export function parseRecord(octets: Uint8Array): ChainRecord {
  return parseStrictly(octets, FORM);
}
