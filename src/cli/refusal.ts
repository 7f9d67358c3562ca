/** Reads the error that an agent or a collector has answered. */

import { ERROR_CODES, type ErrorParts, PopprobeError } from '../base/errors.ts';

/** The error as it was thrown over there; null when the answer is not one of ours. */
export function refusalOf(answer: unknown): PopprobeError | null {
  const { error } = (answer ?? {}) as { error?: ErrorParts & { code?: string } };
  const code = ERROR_CODES.find((known) => known === error?.code);
  return error && code ? new PopprobeError(code, error) : null;
}
