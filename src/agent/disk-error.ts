/** The file system's refusals, in the product's own words. */

import { PopprobeError } from '../base/errors.ts';

/** The errno name (`ENOSPC`) of a system error, or null for any other error. */
export function errnoOf(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : null;
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
