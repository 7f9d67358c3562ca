/** A question to the agent: a JSON object with the members that its route knows, and no others. */

import { PopprobeError } from '../base/errors.ts';

/**
 * Reads the object.
 *
 * @param expected what the question looks like, for the error
 * @throws PopprobeError `malformed`
 */
export function parseQuestion(text: string, members: readonly string[], expected: string): Record<string, unknown> {
  const question = parse(text, expected);
  const unknown = Object.keys(question).find((key) => !members.includes(key));
  if (unknown !== undefined) throw malformedQuestion(expected, `the member ${JSON.stringify(unknown)}`);
  return question;
}

export function malformedQuestion(expected: string, found: string, cause?: unknown): PopprobeError {
  return new PopprobeError('malformed', {
    expected,
    found,
    remedy: 'send the question as docs/protocol.md says',
    cause,
  });
}

function parse(text: string, expected: string): Record<string, unknown> {
  let question: unknown;
  try {
    question = JSON.parse(text);
  } catch (cause) {
    throw malformedQuestion(expected, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (typeof question === 'object' && question !== null) return { ...question };
  throw malformedQuestion(expected, JSON.stringify(question));
}
