/** The strict reading of a document of either kind. */

import type { DocumentKind } from './document-kind.ts';
import { parseRecord } from './parse-record.ts';
import { parseSummary } from './parse-summary.ts';
import type { ChainRecord } from './record.ts';
import type { Summary } from './summary.ts';

export type ParsedDocument =
  | { readonly kind: 'summary'; readonly summary: Summary }
  | { readonly kind: 'record'; readonly record: ChainRecord };

/**
 * Reads octets as the kind of document that their signature is for. Call it only when that signature has been verified.
 *
 * @throws PopprobeError `too_large`, `malformed` or `schema`, as `parseStrictly`
 */
export function parseDocument(octets: Uint8Array, kind: DocumentKind): ParsedDocument {
  if (kind === 'summary') return { kind, summary: parseSummary(octets) };
  return { kind, record: parseRecord(octets) };
}
