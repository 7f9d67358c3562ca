/** Opens a configuration file: reads and parses it, nothing else. */

import { LIMITS } from '../base/limits.ts';
import type { ConfigProblem, Fault } from './problem.ts';
import { dotted } from './quote.ts';
import { FileRefused, readSmallFile } from './small-file.ts';
import { type Parsed, parseYaml } from './yaml-parse.ts';

/** A file that cannot be read has no lines: the problem then stands at its beginning. */
export function openConfigFile(file: string): Parsed {
  let octets: Uint8Array;
  try {
    ({ octets } = readSmallFile(file, LIMITS.configFileBytesMax));
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
    return { source: null, problems: [unreadable(file, error.message)] };
  }
  return parseYaml(file, octets);
}

function unreadable(file: string, found: string): ConfigProblem {
  const fault: Fault = {
    code: 'config_unreadable',
    expected: 'a readable file',
    found,
    remedy: 'correct the path or the permissions',
  };
  return { file, line: 1, column: 1, where: dotted([]), ...fault };
}
