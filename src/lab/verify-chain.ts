/** Whether the documents of a PoP are all there are: no number missing, no link broken, no time between windows. */

import { judgeLink } from '../protocol/chain.ts';
import type { StoredSummary } from './stored-documents.ts';

/**
 * What is wrong with the chain, in words; empty when nothing is.
 *
 * @param documents of one PoP, by sequence number.
 */
export function chainFaults(documents: readonly StoredSummary[]): string[] {
  const [first] = documents;
  if (!first) return ['no document'];
  const start = first.prev === null ? [] : [`the documents before ${first.sequence} are missing`];
  return [
    ...start,
    ...documents.slice(1).flatMap((document, index) => linkFaults(documents[index] ?? first, document)),
  ];
}

function linkFaults(before: StoredSummary, document: StoredSummary): string[] {
  const missing = document.sequence - before.sequence - 1;
  if (missing < 0) return [`document ${document.sequence} is there twice`];
  if (missing > 0) return [`documents missing before ${document.sequence}: ${missing}`];
  const link = judgeLink(document, { before, same: null, after: null });
  const endS = before.window.start_unix_s + before.window.length_s;
  return [
    ...(link.verdict === 'conflict'
      ? [`document ${document.sequence}: expected ${link.expected}; found ${link.found}`]
      : []),
    ...(document.window.start_unix_s === endS
      ? []
      : [`document ${document.sequence}: its window does not begin where that of ${before.sequence} ends`]),
  ];
}
