/** Draws what lies in a spool folder: a line for each document, and the sums. */

import { MS_PER_S } from '../base/units.ts';
import { printable } from '../config/quote.ts';
import { formatAge } from './format.ts';
import type { SpooledDocument } from './spooled-files.ts';

/** Widths of the columns: lines are written before the last document is known. */
const WIDTHS = { sequence: 16, kind: 11, at: 24, bytes: 9, age: 7 } as const;

export const SPOOL_HEADING = lineOf('sequence', 'kind', 'begin', 'octets', 'age', 'state');

/** `nowMs` is the wall clock, for the age. Whatever a file contains, a terminal shows it and does not obey it. */
export function renderSpooled(document: SpooledDocument, nowMs: number): string {
  const { sequence, kind, at, bytes, writtenMs, reason } = document;
  const state = reason === null ? 'waiting' : `quarantine: ${printable(reason)}`;
  return lineOf(String(sequence), kind ?? '?', printable(at ?? '?'), String(bytes), ageOf(writtenMs, nowMs), state);
}

/** What was listed, of one place. */
export interface SpoolSum {
  documents: number;
  bytes: number;
  oldestMs: number | null;
}

/** `strangers`: files in the quarantine that are no documents by their names. */
export function renderSpoolSums(
  waiting: SpoolSum | null,
  quarantined: SpoolSum,
  strangers: number,
  nowMs: number,
): string[] {
  return [
    ...(waiting === null ? [] : [`${sumOf(waiting, nowMs)} waiting`]),
    `${sumOf(quarantined, nowMs)} in the quarantine${strangers === 0 ? '' : `, and ${strangers} files that bear no number`}`,
  ];
}

function sumOf({ documents, bytes, oldestMs }: SpoolSum, nowMs: number): string {
  const oldest = oldestMs === null ? '' : `, the oldest for ${ageOf(oldestMs, nowMs)},`;
  return `${documents} documents of ${bytes} octets${oldest}`;
}

function ageOf(writtenMs: number, nowMs: number): string {
  return formatAge(Math.max(0, Math.floor((nowMs - writtenMs) / MS_PER_S)));
}

function lineOf(sequence: string, kind: string, at: string, bytes: string, age: string, state: string): string {
  return [
    sequence.padStart(WIDTHS.sequence),
    kind.padEnd(WIDTHS.kind),
    at.padEnd(WIDTHS.at),
    bytes.padStart(WIDTHS.bytes),
    age.padStart(WIDTHS.age),
    state,
  ].join('  ');
}
