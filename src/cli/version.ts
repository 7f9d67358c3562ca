/** Name and version of this program, as they stand in every summary. */

import { readFileSync } from 'node:fs';

/** 'popprobe/1.2.3', from the package file beside the built program. */
export function software(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return `popprobe/${version}`;
}
