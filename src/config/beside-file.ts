/** Paths in a configuration start at the folder of the file that names them, wherever the program was started. */

import { dirname, isAbsolute, join, resolve } from 'node:path';

/** The absolute path. */
export function resolveBeside(file: string, path: string): string {
  return resolve(dirname(file), path);
}

/** The path as a reader of `file` would write it from where `file` was named; for messages. */
export function besideFile(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path);
}
