/**
 * Makes a folder and those that it lies in. The `recursive` of Node.js never comes back where the kernel says ENOENT although
 * the parent is there, as it does everywhere in /proc.
 */

import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder unless it is there; all that are made get this mode.
 *
 * @returns whether it was made
 * @throws the file system's own error, EEXIST when something else has the name
 */
export function makeFolder(path: string, mode = 0o777): boolean {
  try {
    return makeOne(path, mode);
  } catch (error) {
    const isUppermost = dirname(path) === path;
    if (codeOf(error) !== 'ENOENT' || isUppermost) throw error;
  }
  makeFolder(dirname(path), mode);
  return makeOne(path, mode);
}

function makeOne(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && statSync(path).isDirectory()) return false;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
