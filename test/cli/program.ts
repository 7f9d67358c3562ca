/** Runs the built program as a user would. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A verdict over thousands of bad documents takes some megabytes. */
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `node dist/main.js <args>` to its end. */
export function popprobe(...args: string[]): Run {
  if (!existsSync('dist/main.js')) throw new Error('dist/main.js is not there: run npm run build first');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/main.js', ...args], {
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return { status, stdout, stderr };
}
