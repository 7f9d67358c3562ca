/** Reads back what a record of this chain says that must not be lost with it: a gap, or the next key. */

import { type Gap, isGap } from './gap-memory.ts';
import type { SealedDocument } from './spool-file.ts';

/** The gap that a record has declared, or that it announces a key. */
export type SpooledEvent = Gap | { kind: 'key' };

/** Stands near the beginning of every record, behind what names the document. */
const EVENT = /"event":\{"kind":"(?:gap|key)",/;
const EVENT_WITHIN_BYTES = 1024;

/** What this document says of that; null when it is another one. */
export function spooledEvent({ octets }: SealedDocument): SpooledEvent | null {
  const beginning = Buffer.from(octets.subarray(0, EVENT_WITHIN_BYTES)).toString('latin1');
  if (!EVENT.test(beginning)) return null;
  const event = eventIn(octets);
  if (isGap(event)) return event;
  return isKey(event) ? { kind: 'key' } : null;
}

function isKey(event: unknown): boolean {
  return ((event ?? {}) as { kind?: unknown }).kind === 'key';
}

/** A file that somebody else has put there may hold anything. */
function eventIn(octets: Uint8Array): unknown {
  try {
    return (JSON.parse(Buffer.from(octets).toString()) as { event?: unknown } | null)?.event;
  } catch {
    return null;
  }
}
