/** The verdict over evidence as programs read it: everything that a person is told, in one JSON object. */

import type { Evidence, EvidenceFault, PopEvidence } from './evidence.ts';
import { endOf, type NoteFrame, notesOn, rfc3339, type VerdictNote } from './verdict-notes.ts';

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
  keys: { kid: string; pop: string | null; file: string; revoked: boolean; documents: number }[];
  /** What is no fault, but must be known. */
  notes: VerdictNote[];
  faults: EvidenceFault[];
  /** Of all; more than are listed when there are very many. */
  fault_count: number;
}

interface PopVerdict {
  pop: string;
  documents: number;
  /** Of these, events; the others are windows. */
  records: number;
  /** How often the agent was started. */
  runs: number;
  first_sequence: number;
  last_sequence: number;
  /** Start of the first window, end of the last one; null when there is none. */
  windows_from: string | null;
  windows_to: string | null;
  /** Digest of the document before the first; null where a chain begins. */
  prev: string | null;
  /** SHA-256 of the last document, as the chain writes it and as sha256sum does. */
  head: { sequence: number; digest: string; sha256_hex: string };
}

/** What the verdict says beside the evidence itself. */
export interface VerdictFrame extends NoteFrame {
  software: string;
  source: readonly string[];
}

export function verdictOf(evidence: Evidence, frame: VerdictFrame): EvidenceVerdict {
  return {
    verdict: evidence.isValid ? 'valid' : 'not_valid',
    verified_at: new Date(frame.nowMs).toISOString(),
    software: frame.software,
    source: [...frame.source],
    month: frame.month?.name ?? null,
    pops: evidence.pops.map(popVerdict),
    keys: evidence.keys.map(({ isRevoked: revoked, ...key }) => ({ ...key, revoked })),
    notes: notesOn(evidence, frame),
    faults: [...evidence.faults],
    fault_count: evidence.faultCount,
  };
}

function popVerdict({
  pop,
  documents,
  records,
  runs,
  first,
  head,
  firstSummary,
  lastSummary,
}: PopEvidence): PopVerdict {
  return {
    pop,
    documents,
    records,
    runs,
    first_sequence: first.sequence,
    last_sequence: head.sequence,
    windows_from: firstSummary && rfc3339(firstSummary.window.start_unix_s),
    windows_to: lastSummary && rfc3339(endOf(lastSummary)),
    prev: first.prev,
    head: {
      sequence: head.sequence,
      digest: head.digest,
      sha256_hex: Buffer.from(head.digest, 'base64url').toString('hex'),
    },
  };
}
