/** The questions `POST /v1/spool/retry` and `POST /v1/spool/drop`: which documents are meant. */

import { LIMITS } from '../base/limits.ts';
import { malformedQuestion, parseQuestion } from './question.ts';

const EXPECTED = `{"sequences": [NUMBER, …]} as JSON, with at most ${LIMITS.spoolQuestionDocuments} of them`;

/** Reads `{"sequences": [1767225600, …]}`. Throws `malformed` for anything else. */
export function readSpoolQuestion(text: string): number[] {
  const { sequences } = parseQuestion(text, ['sequences'], EXPECTED);
  if (!Array.isArray(sequences)) throw malformedQuestion(EXPECTED, 'no list of sequence numbers');
  if (sequences.length > LIMITS.spoolQuestionDocuments)
    throw malformedQuestion(EXPECTED, `${sequences.length} of them`);
  return sequences.map((sequence: unknown) => {
    if (typeof sequence === 'number' && Number.isSafeInteger(sequence) && sequence > 0) return sequence;
    throw malformedQuestion(EXPECTED, `the sequence number ${JSON.stringify(sequence)}`);
  });
}
