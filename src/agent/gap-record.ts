/** Reads back what a record of this chain has declared: when the record itself is given up, it is to be declared anew. */

import { type Gap, isGap } from './gap-memory.ts';
import type { SealedDocument } from './spool-file.ts';

/** Stands near the beginning of every record, behind what names the document. */
const GAP_EVENT = '"event":{"kind":"gap",';
const EVENT_WITHIN_BYTES = 1024;

/** The gap that this document declares; null when it is another document. */
export function gapDeclaredBy({ octets }: SealedDocument): Gap | null {
  const beginning = Buffer.from(octets.subarray(0, EVENT_WITHIN_BYTES)).toString('latin1');
  if (!beginning.includes(GAP_EVENT)) return null;
  const event = eventIn(octets);
  return isGap(event) ? event : null;
}

/** A file that somebody else has put there may hold anything. */
function eventIn(octets: Uint8Array): unknown {
  try {
    return (JSON.parse(Buffer.from(octets).toString()) as { event?: unknown } | null)?.event;
  } catch {
    return null;
  }
}
