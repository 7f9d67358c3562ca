/** Catches the PopprobeError that an action is expected to end in, so that a test can look at its parts. */

import { PopprobeError } from '../../src/base/errors.ts';

/** The error of a synchronous or asynchronous action; anything but a PopprobeError fails the test. */
export async function refusalOf(action: () => unknown): Promise<PopprobeError> {
  try {
    await action();
  } catch (error) {
    if (error instanceof PopprobeError) return error;
    throw error;
  }
  throw new Error('a PopprobeError expected; the action succeeded');
}
