/** Locks on files and folders that the kernel releases when their owner is gone, however it went. */

import { closeSync, openSync } from 'node:fs';
import { LOCK_EX, LOCK_NB } from './constants.ts';
import { errnoName } from './errno.ts';
import { libc, syscallError } from './libc.ts';

/**
 * Locks a file, which is made when it is not there.
 *
 * @returns what releases the lock, or null when somebody else has it
 * @throws PopprobeError syscall_failed where files cannot be locked, kernel_unavailable without koffi
 */
export function tryLockFile(file: string): (() => void) | null {
  return tryLock(file, openSync(file, 'a', 0o600));
}

/** As `tryLockFile`, for a folder that is there; no file is made in it. */
export function tryLockFolder(folder: string): (() => void) | null {
  return tryLock(folder, openSync(folder, 'r'));
}

function tryLock(path: string, fd: number): (() => void) | null {
  try {
    if (libc().flock(fd, LOCK_EX | LOCK_NB) === 0) return () => closeSync(fd);
    const errno = libc().errno();
    if (errnoName(errno) !== 'EAGAIN') {
      throw syscallError(`flock ${path}`, errno, 'choose a folder on a file system that has locks');
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return null;
}
