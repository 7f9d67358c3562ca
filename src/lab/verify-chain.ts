/** Whether the documents of a PoP are all there are: no number missing, no link broken, no time between windows. */

import { declarationsIn } from '../protocol/audited-document.ts';
import { ChainAudit } from '../protocol/chain-audit.ts';
import type { LabDocument } from './stored-documents.ts';

/**
 * What is wrong with the chain, in words; empty when nothing is.
 *
 * @param documents of one PoP, by sequence number.
 */
export function chainFaults(documents: readonly LabDocument[]): string[] {
  const [first] = documents;
  if (!first) return ['no document'];
  const start = first.prev === null ? [] : [`the documents before ${first.sequence} are missing`];
  const audit = new ChainAudit(declarationsIn(documents));
  const faults = documents.flatMap((document) => audit.add(document).faults);
  return [
    ...start,
    ...faults.map(({ sequence, expected, found }) => `document ${sequence}: expected ${expected}; found ${found}`),
  ];
}
