/** What is no fault of the evidence and must be known: as a sentence for people, and as members for programs. */

import { MS_PER_S } from '../base/units.ts';
import type { ChainNote } from '../protocol/chain-audit.ts';
import type { AuditedSummary } from '../protocol/audited-document.ts';
import type { Evidence, PopEvidence } from './evidence.ts';
import type { Month } from './month.ts';

type NoteCode =
  | ChainNote['code']
  | 'copies'
  | 'read_for_declarations'
  | 'notes_not_listed'
  | 'other_files'
  | 'key_of_nobody'
  | 'month_begins_uncovered'
  | 'month_ends_uncovered';

/** Null where it does not apply; times are RFC 3339. */
export interface VerdictNote {
  code: NoteCode;
  pop: string | null;
  /** Documents that it is about. */
  first_sequence: number | null;
  last_sequence: number | null;
  /** Time that it is about, the end excluded. */
  from: string | null;
  to: string | null;
  /** Number of the record that says it, and the reason that this gives. */
  declared_by: number | null;
  reason: string | null;
  text: string;
}

/** What the notes need beside the evidence. */
export interface NoteFrame {
  nowMs: number;
  month: Month | null;
  /** Files in the folders that are no documents by their names. */
  others: number;
}

export function notesOn({ pops, keys }: Evidence, { month, others, nowMs }: NoteFrame): VerdictNote[] {
  return [
    ...pops.flatMap(popNotes),
    ...(others > 0 ? [note('other_files', { text: `other files in the folders, not looked at: ${others}` })] : []),
    ...keys
      .filter(({ pop }) => pop === null)
      .map(({ file }) => note('key_of_nobody', { text: `${file}: nothing says whose key this is` })),
    ...(month === null ? [] : pops.flatMap((pop) => edgesOf(pop, month, nowMs))),
  ];
}

function popNotes({ pop, copies, beyond, notes, noteCount }: PopEvidence): VerdictNote[] {
  const counted = (code: NoteCode, count: number, what: string): VerdictNote[] =>
    count > 0 ? [note(code, { pop, text: `${pop}: ${what}: ${count}` })] : [];
  return [
    ...counted('copies', copies, 'copies of documents, not counted'),
    ...counted('read_for_declarations', beyond, 'later records, read for what they declare'),
    ...notes.map((chainNote) => chainNoteOf(pop, chainNote)),
    ...counted('notes_not_listed', noteCount - notes.length, 'more notes, not listed'),
  ];
}

function chainNoteOf(pop: string, said: ChainNote): VerdictNote {
  switch (said.code) {
    case 'documents_given_up': {
      const { code, from, to, by, reason } = said;
      const which = from === to ? `document ${from} was` : `documents ${from} to ${to} were`;
      const text = `${pop}: ${which} given up (${reason}), as document ${by} declares`;
      return note(code, { pop, first_sequence: from, last_sequence: to, declared_by: by, reason, text });
    }
    case 'time_given_up':
      return note(said.code, { pop, ...spanOf(said), text: `${pop}: no window covers ${spanText(said)}: given up` });
    case 'windows_unsealed': {
      const { code, by, reason } = said;
      const text = `${pop}: no document was made of ${spanText(said)} (${reason}), as document ${by} declares`;
      return note(code, { pop, ...spanOf(said), declared_by: by, reason, text });
    }
    case 'not_running': {
      const { code, sequence } = said;
      const text = `${pop}: not measured from ${spanText(said)}: the agent was not running`;
      return note(code, { pop, ...spanOf(said), first_sequence: sequence, last_sequence: sequence, text });
    }
    case 'key_changed': {
      const { code, sequence, from, to } = said;
      const text = `${pop}: from document ${sequence} on key ${to} signs, as key ${from} had announced`;
      return note(code, { pop, first_sequence: sequence, last_sequence: sequence, text });
    }
    default:
      return said satisfies never;
  }
}

/** The chain proves that nothing is missing between the first document and the last, and not how far it reaches. */
function edgesOf({ pop, firstSummary, lastSummary }: PopEvidence, month: Month, nowMs: number): VerdictNote[] {
  const { name, fromS, toS } = month;
  const nowS = Math.min(toS, Math.floor(nowMs / MS_PER_S));
  const startS = firstSummary?.window.start_unix_s ?? nowS;
  const endS = lastSummary === null ? nowS : endOf(lastSummary);
  return [
    ...(startS > fromS
      ? [
          note('month_begins_uncovered', {
            pop,
            ...spanOf({ fromS, toS: startS }),
            text: `${pop}: no document covers the first ${startS - fromS} s of ${name}`,
          }),
        ]
      : []),
    ...(nowS > endS
      ? [
          note('month_ends_uncovered', {
            pop,
            ...spanOf({ fromS: endS, toS: nowS }),
            text: `${pop}: no document covers ${name} from ${rfc3339(endS)} on (${nowS - endS} s)`,
          }),
        ]
      : []),
  ];
}

interface Span {
  fromS: number;
  toS: number;
}

function spanOf({ fromS, toS }: Span): Pick<VerdictNote, 'from' | 'to'> {
  return { from: rfc3339(fromS), to: rfc3339(toS) };
}

function spanText({ fromS, toS }: Span): string {
  return `${rfc3339(fromS)} to ${rfc3339(toS)} (${toS - fromS} s)`;
}

function note(code: NoteCode, members: Partial<VerdictNote> & { text: string }): VerdictNote {
  const nothing = { first_sequence: null, last_sequence: null, from: null, to: null, declared_by: null, reason: null };
  return { code, pop: null, ...nothing, ...members };
}

/** Where a summary's window ends, Unix time. */
export function endOf({ window }: AuditedSummary): number {
  return window.start_unix_s + window.length_s;
}

export function rfc3339(unixS: number): string {
  return new Date(unixS * MS_PER_S).toISOString();
}
