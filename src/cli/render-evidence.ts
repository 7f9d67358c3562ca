/** The verdict over evidence as a person reads and attaches it: what was verified, every fault, one line of verdict. */

import { cleanMessage, printable } from '../config/quote.ts';
import type { EvidenceVerdict } from './evidence-verdict.ts';

/** The lines; the last one is the verdict. Whatever the documents contain, a terminal shows it and does not obey it. */
export function renderEvidence(verdict: EvidenceVerdict): string[] {
  const { verified_at: verifiedAt, software, source, month, pops, keys, notes, faults } = verdict;
  const of = month === null ? '' : `, month ${month} (UTC)`;
  return [
    `evidence verified at ${verifiedAt} by ${software}`,
    `source: ${printable(source.join(', '))}${of}`,
    ...pops.flatMap(popLines),
    ...keys.map(
      ({ kid, pop, file, revoked, documents }) =>
        `key: ${kid} (RFC 7638 thumbprint) of ${pop ?? 'a PoP that nothing names'}, ${printable(file)}${revoked ? ', revoked' : ''}, signed ${documents} documents`,
    ),
    ...notes.map(({ text }) => `note: ${printable(text)}`),
    ...faults.map(
      ({ code, place, expected, found }) =>
        `fault: ${printable(place)}: expected ${printable(expected)}; found ${cleanMessage(found)} [${code}]`,
    ),
    ...unlisted(verdict),
    verdictLine(verdict),
  ];
}

function popLines(pop: EvidenceVerdict['pops'][number]): string[] {
  const { head } = pop;
  const before = pop.prev === null ? 'where a chain begins' : `after the one with digest ${pop.prev}`;
  return [
    `PoP ${pop.pop}: ${pop.documents} documents, ${pop.first_sequence} (${before}) to ${pop.last_sequence}`,
    `  windows: ${windowsText(pop)}, runs of the agent: ${pop.runs}, events: ${pop.records}`,
    `  head of the chain: document ${head.sequence}, SHA-256 ${head.digest}`,
    `    as sha256sum writes it: ${head.sha256_hex}`,
  ];
}

function windowsText({ windows_from: from, windows_to: to }: EvidenceVerdict['pops'][number]): string {
  return from === null || to === null ? 'none' : `${from} to ${to}`;
}

function unlisted({ faults, fault_count: count }: EvidenceVerdict): string[] {
  return count > faults.length ? [`and ${count - faults.length} more faults`] : [];
}

function verdictLine({ verdict, pops, fault_count: count, faults }: EvidenceVerdict): string {
  if (verdict === 'valid') {
    const documents = pops.reduce((sum, pop) => sum + pop.documents, 0);
    return `verdict: valid, ${documents} documents of ${pops.map(({ pop }) => pop).join(', ')}`;
  }
  const codes = new Map<string, number>();
  for (const { code } of faults) codes.set(code, (codes.get(code) ?? 0) + 1);
  const each = [...codes].map(([code, times]) => `${code} ${times}`).join(', ');
  return `verdict: NOT VALID, faults: ${count} (${each})`;
}
