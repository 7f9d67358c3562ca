/** The verdict over evidence as programs read it: everything that a person is told, in one JSON object. */

import { MS_PER_S } from '../base/units.ts';
import type { Evidence, EvidenceFault, PopEvidence } from './evidence.ts';
import type { Month } from './month.ts';

/** In `snake_case` like every document of popprobe; times are RFC 3339. */
export interface EvidenceVerdict {
  verdict: 'valid' | 'not_valid';
  verified_at: string;
  software: string;
  /** Files as they were named, or the collector's address. */
  source: string[];
  /** `YYYY-MM` when only a month was asked for. */
  month: string | null;
  pops: PopVerdict[];
  keys: { kid: string; pop: string | null; file: string; documents: number }[];
  /** What is no fault, but must be known. */
  notes: string[];
  faults: EvidenceFault[];
  /** Of all; more than are listed when there are very many. */
  fault_count: number;
}

interface PopVerdict {
  pop: string;
  documents: number;
  /** How often the agent was started. */
  runs: number;
  first_sequence: number;
  last_sequence: number;
  /** Start of the first window, end of the last one. */
  windows_from: string;
  windows_to: string;
  /** Digest of the document before the first; null where a chain begins. */
  prev: string | null;
  /** SHA-256 of the last document, as the chain writes it and as sha256sum does. */
  head: { sequence: number; digest: string; sha256_hex: string };
}

/** What the verdict says beside the evidence itself. */
export interface VerdictFrame {
  nowMs: number;
  software: string;
  source: readonly string[];
  month: Month | null;
  /** Files in the folders that are no documents by their names. */
  others: number;
}

export function verdictOf(evidence: Evidence, frame: VerdictFrame): EvidenceVerdict {
  return {
    verdict: evidence.isValid ? 'valid' : 'not_valid',
    verified_at: new Date(frame.nowMs).toISOString(),
    software: frame.software,
    source: [...frame.source],
    month: frame.month?.name ?? null,
    pops: evidence.pops.map(popVerdict),
    keys: [...evidence.keys],
    notes: notesOn(evidence, frame),
    faults: [...evidence.faults],
    fault_count: evidence.faultCount,
  };
}

function popVerdict({ pop, documents, runs, first, head }: PopEvidence): PopVerdict {
  return {
    pop,
    documents,
    runs,
    first_sequence: first.sequence,
    last_sequence: head.sequence,
    windows_from: rfc3339(first.window.start_unix_s),
    windows_to: rfc3339(endS(head)),
    prev: first.prev,
    head: {
      sequence: head.sequence,
      digest: head.digest,
      sha256_hex: Buffer.from(head.digest, 'base64url').toString('hex'),
    },
  };
}

function notesOn({ pops, keys }: Evidence, { month, others, nowMs }: VerdictFrame): string[] {
  return [
    ...pops
      .filter(({ copies }) => copies > 0)
      .map(({ pop, copies }) => `${pop}: copies of documents, not counted: ${copies}`),
    ...(others > 0 ? [`other files in the folders, not looked at: ${others}`] : []),
    ...keys.filter(({ pop }) => pop === null).map(({ file }) => `${file}: nothing says whose key this is`),
    ...(month === null ? [] : pops.flatMap((pop) => edgesOf(pop, month, nowMs))),
  ];
}

/** The chain proves that nothing is missing between the first document and the last, and not how far it reaches. */
function edgesOf({ pop, first, head }: PopEvidence, { name, fromS, toS }: Month, nowMs: number): string[] {
  const before = first.window.start_unix_s - fromS;
  const after = Math.min(toS, Math.floor(nowMs / MS_PER_S)) - endS(head);
  return [
    ...(before > 0 ? [`${pop}: no document covers the first ${before} s of ${name}`] : []),
    ...(after > 0 ? [`${pop}: no document covers ${name} from ${rfc3339(endS(head))} on (${after} s)`] : []),
  ];
}

function endS({ window }: PopEvidence['head']): number {
  return window.start_unix_s + window.length_s;
}

function rfc3339(unixS: number): string {
  return new Date(unixS * MS_PER_S).toISOString();
}
