/** The file system's refusals, in the product's own words. */

import { PopprobeError } from '../base/errors.ts';
import { errnoName } from '../linux/errno.ts';

/** What Node.js says in place of a name that it does not know, such as that of EDQUOT: this and the number, negated. */
const UNNAMED = /^Unknown system error -(\d+)$/;

/** The errno name (`ENOSPC`) of a system error, or null for any other error. */
export function errnoOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (typeof code !== 'string') return null;
  const number = UNNAMED.exec(code)?.[1];
  return number === undefined ? code : errnoName(Number(number));
}

/** Runs a step on the spool's folder. @throws PopprobeError `spool_unusable` with the errno name, when the disk refuses */
export async function onDisk<T>(doing: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof PopprobeError) throw error;
    throw new PopprobeError('spool_unusable', {
      expected: `a spool folder that lets the agent ${doing}`,
      found: errnoOf(error) ?? String(error),
      remedy: 'check free space, mount options and owner of the folder',
      cause: error,
    });
  }
}
