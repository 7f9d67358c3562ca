/** A document as somebody hands it out: nothing of it is believed yet. */

import type { DocumentFile } from '../agent/spool-file.ts';
import type { ErrorCode } from '../base/errors.ts';

/** Why there is no document to look at. */
export interface NoExhibit {
  code: ErrorCode;
  expected: string;
  found: string;
}

export interface Exhibit {
  /** Where it is, so that the reader finds it: a file, or a document of a collector. */
  place: string;
  /** The number under which it is kept; null where nothing says one. */
  sequence: number | null;
  content: DocumentFile | NoExhibit;
  /** It lies behind the others, with documents between that nobody asked for: only what it declares is wanted. */
  isBeyond: boolean;
  /** How much of all the work is done after this one, 0 to 1. */
  doneRatio: number;
}
