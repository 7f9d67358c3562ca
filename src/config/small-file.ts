/** Reads a whole file that must be small and regular. */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';

export interface SmallFile {
  octets: Buffer;
  /** Permission bits, as of chmod. */
  mode: number;
  /** User id of the owner. */
  uid: number;
}

/** Why a file could not be read; the message is a noun phrase for `found`. */
export class FileRefused extends Error {}

/**
 * Opens, looks and reads through one descriptor, so that what was checked is what is read. A pipe or device is
 * refused, and without waiting for it. Throws FileRefused.
 */
export function readSmallFile(file: string, bytesMax: number): SmallFile {
  try {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readChecked(descriptor, bytesMax);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw cause instanceof FileRefused ? cause : new FileRefused(systemReason(cause), { cause });
  }
}

/** The system's own words for a failed call: `no such file or directory`, `permission denied`. */
export function systemReason(cause: unknown): string {
  const { errno, message } = cause as NodeJS.ErrnoException;
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message;
}

function readChecked(descriptor: number, bytesMax: number): SmallFile {
  const stat = fstatSync(descriptor);
  if (stat.isDirectory()) throw new FileRefused('a directory');
  if (!stat.isFile()) throw new FileRefused('a pipe, socket or device');
  if (stat.size > bytesMax) throw new FileRefused(`${stat.size} octets, more than ${bytesMax}`);
  const octets = Buffer.alloc(stat.size);
  return { octets: octets.subarray(0, readSync(descriptor, octets)), mode: stat.mode & 0o7777, uid: stat.uid };
}
