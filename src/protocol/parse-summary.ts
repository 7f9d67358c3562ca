/** The strict reading of a summary document: for whoever receives one. */

import { LIMITS } from '../base/limits.ts';
import { type DocumentForm, parseStrictly } from './parse-strictly.ts';
import type { Summary } from './summary.ts';
import { contradictionIn } from './summary-contradictions.ts';
import { SUMMARY_SCHEMA, summarySchema } from './summary-schema.ts';

const FORM: DocumentForm<typeof summarySchema> = {
  name: SUMMARY_SCHEMA,
  schema: summarySchema,
  contradictionIn,
  bytesMax: LIMITS.summaryBytesMax,
};

/**
 * Reads the octets of one summary. Call it only on octets whose signature has been verified.
 *
 * @throws PopprobeError `too_large`, `malformed` or `schema`, as `parseStrictly`
 */
export function parseSummary(octets: Uint8Array): Summary {
  return parseStrictly(octets, FORM);
}
