/** The questions `POST /v1/spool/retry` and `POST /v1/spool/drop`: which documents are meant. */

import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/** Reads `{"sequences": [1767225600, …]}`. Throws `malformed` for anything else. */
export function readSpoolQuestion(text: string): number[] {
  const question = parse(text);
  const unknown = Object.keys(question).find((key) => key !== 'sequences');
  if (unknown !== undefined) throw malformed(`the member ${JSON.stringify(unknown)}`);
  const { sequences } = question;
  if (!Array.isArray(sequences)) throw malformed('no list of sequence numbers');
  if (sequences.length > LIMITS.spoolQuestionDocuments) throw malformed(`${sequences.length} of them`);
  return sequences.map((sequence: unknown) => {
    if (typeof sequence === 'number' && Number.isSafeInteger(sequence) && sequence > 0) return sequence;
    throw malformed(`the sequence number ${JSON.stringify(sequence)}`);
  });
}

function parse(text: string): { sequences?: unknown } {
  let question: unknown;
  try {
    question = JSON.parse(text);
  } catch (cause) {
    throw malformed(cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (typeof question !== 'object' || question === null) throw malformed(JSON.stringify(question));
  return question;
}

function malformed(found: string, cause?: unknown): PopprobeError {
  return new PopprobeError('malformed', {
    expected: `{"sequences": [NUMBER, …]} as JSON, with at most ${LIMITS.spoolQuestionDocuments} of them`,
    found,
    remedy: 'send the question as docs/protocol.md says',
    cause,
  });
}
