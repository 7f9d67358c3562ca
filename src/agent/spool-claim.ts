/** Makes sure that one agent alone uses a spool folder: two would number their documents alike and break both chains. */

import type { Logger } from 'pino';
import { PopprobeError } from '../base/errors.ts';
import { tryLockFolder } from '../linux/file-lock.ts';

/**
 * Claims a folder that is there for as long as this process lives: the kernel lets go of it then, however it ends. Where the
 * C library cannot be called the folder is used unclaimed, and the log says so.
 *
 * @throws PopprobeError `spool_in_use` when another process has it, `syscall_failed` where folders cannot be locked
 */
export function claimSpool(directory: string, log: Logger): void {
  try {
    if (tryLockFolder(directory) !== null) return;
  } catch (error) {
    if (!(error instanceof PopprobeError && error.code === 'kernel_unavailable')) throw error;
    log.warn({ directory }, 'without koffi nobody can tell whether another agent uses this spool folder');
    return;
  }
  throw new PopprobeError('spool_in_use', {
    expected: `the spool folder ${directory} for this agent alone`,
    found: 'another process that uses it',
    remedy: 'end the other agent, or give each agent a folder of its own',
  });
}
