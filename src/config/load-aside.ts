/**
 * Reads the agent's configuration in a process of its own: parser and validator do not stay in the daemon's memory, and
 * no file, however odd, can bring a running daemon down.
 */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LIMITS } from '../base/limits.ts';
import { builtFile } from '../base/built-file.ts';
import type { AgentConfig } from './agent-config.ts';
import { freezeDeep } from './freeze.ts';
import type { Loaded } from './problem.ts';

/** As `loadAgentConfig`, at the price of starting a process. Rejects when that process itself fails. */
export async function loadAgentConfigAside(file: string): Promise<Loaded<AgentConfig>> {
  const program = fileURLToPath(builtFile(import.meta.url, 'print-agent-config'));
  const { stdout } = await promisify(execFile)(process.execPath, [program, file], {
    maxBuffer: LIMITS.loadedConfigBytesMax,
  });
  return freezeDeep(JSON.parse(stdout) as Loaded<AgentConfig>);
}
