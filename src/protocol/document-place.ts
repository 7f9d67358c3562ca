/** What documents of both kinds have in common: a place in the chain, and a time. */

import { MS_PER_S } from '../base/units.ts';
import type { ParsedDocument } from './parse-document.ts';
import type { Summary } from './summary.ts';

/** Whose document it is, and where it stands in the PoP's chain. */
export type DocumentPlace = Pick<Summary, 'pop' | 'boot_id' | 'sequence' | 'prev'>;

export function placeOf(document: ParsedDocument): DocumentPlace {
  const { pop, boot_id, sequence, prev } = document.kind === 'summary' ? document.summary : document.record;
  return { pop, boot_id, sequence, prev };
}

/** The time that a document speaks of, ms since the Unix epoch: of a summary its window, of a record one instant. */
export interface DocumentTime {
  readonly startMs: number;
  /** Of the window; null for a record. */
  readonly lengthS: number | null;
}

export function timeOf(document: ParsedDocument): DocumentTime {
  if (document.kind === 'record') return { startMs: document.record.at_unix_ms, lengthS: null };
  const { start_unix_s, length_s } = document.summary.window;
  return { startMs: start_unix_s * MS_PER_S, lengthS: length_s };
}

/** When it ends, ms since the Unix epoch. */
export function endMsOf({ startMs, lengthS }: DocumentTime): number {
  return startMs + (lengthS ?? 0) * MS_PER_S;
}
