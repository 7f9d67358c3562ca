/** What no schema can say: where a record document contradicts itself, or could be read in two ways. */

import { createHash } from 'node:crypto';
import type { ChainRecord, EventOf, RecordEvent } from './record.ts';

/** Says what is wrong, and where; null when nothing is. */
export function contradictionIn({ at, at_unix_ms: atMs, sequence, event }: ChainRecord): string | null {
  if (Date.parse(at) !== atMs) return `at: ${at} is not at_unix_ms ${atMs}`;
  return contradictionOf(event, sequence);
}

function contradictionOf(event: RecordEvent, sequence: number): string | null {
  switch (event.kind) {
    case 'gap':
      return gapContradiction(event, sequence);
    case 'unsealed':
      return event.from_unix_s < event.to_unix_s
        ? null
        : `unsealed: from ${event.from_unix_s} to ${event.to_unix_s} is no time`;
    case 'clock_step':
      return event.step_ns === 0 ? 'clock_step: a step of 0 ns is none' : null;
    case 'instrument':
      return instrumentContradiction(event);
    case 'key':
      return keyContradiction(event);
    case 'pair':
    case 'trace':
      return null;
    default:
      return event satisfies never;
  }
}

/** A document can be given up only when it has been made: before this one. */
function gapContradiction({ ranges }: EventOf<'gap'>, sequence: number): string | null {
  let before = 0;
  for (const [from, to] of ranges) {
    if (to < from) return `gap: documents ${from} to ${to} are none`;
    if (from <= before) return `gap: document ${from} after document ${before}`;
    before = to;
  }
  return before < sequence ? null : `gap: document ${before}, declared by document ${sequence}`;
}

function instrumentContradiction({ state, reasons }: EventOf<'instrument'>): string | null {
  if ((state === 'sick') !== reasons.length > 0) return `instrument: ${state} for ${reasons.length} reasons`;
  return new Set(reasons).size === reasons.length ? null : 'instrument: a reason twice';
}

/** The key and its name must be one thing: who has either has the other. */
function keyContradiction({ kid, x }: EventOf<'key'>): string | null {
  if (Buffer.from(x, 'base64url').toString('base64url') !== x) return 'key: x has a second spelling';
  const thumbprint = thumbprintOf(x);
  return kid === thumbprint ? null : `key: kid ${kid} is not the thumbprint ${thumbprint} of x`;
}

/** RFC 7638 section 3 for an Ed25519 key (RFC 8037 section 2): its required members in order, without white space. */
function thumbprintOf(x: string): string {
  return createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url');
}
