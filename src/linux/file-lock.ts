/** A lock that the kernel releases when its owner is gone, however it went. */

import { closeSync, openSync } from 'node:fs';
import { LOCK_EX, LOCK_NB } from './constants.ts';
import { errnoName } from './errno.ts';
import { libc, syscallError } from './libc.ts';

/**
 * Locks a file, which is made when it is not there.
 *
 * @returns what releases the lock, or null when somebody else has it
 * @throws PopprobeError syscall_failed where files cannot be locked
 */
export function tryLockFile(file: string): (() => void) | null {
  const fd = openSync(file, 'a', 0o600);
  if (libc().flock(fd, LOCK_EX | LOCK_NB) === 0) return () => closeSync(fd);
  const errno = libc().errno();
  closeSync(fd);
  if (errnoName(errno) === 'EAGAIN') return null;
  throw syscallError(`flock ${file}`, errno, 'choose a folder on a file system that has locks');
}
