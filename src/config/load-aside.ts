/**
 * Reads the agent's configuration in a process of its own: parser and validator do not stay in the daemon's memory, and
 * no file, however odd, can bring a running daemon down.
 */

import { type ChildProcess, execFile, type PromiseWithChild } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LIMITS } from '../base/limits.ts';
import { builtFile } from '../base/built-file.ts';
import type { AgentConfig } from './agent-config.ts';
import { freezeDeep } from './freeze.ts';
import type { Loaded } from './problem.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * As `loadAgentConfig`, at the price of starting a process. Rejects when that process itself fails. For a program that does
 * nothing else meanwhile: a signal ends both.
 */
export async function loadAgentConfigAside(file: string): Promise<Loaded<AgentConfig>> {
  const reading = read(file);
  const forget = endWith(reading.child);
  try {
    return parse(await reading);
  } finally {
    forget();
  }
}

/** The same for a program that runs: what signals mean is its own affair. Rejects when `signal` aborts. */
export async function reloadAgentConfig(file: string, signal: AbortSignal): Promise<Loaded<AgentConfig>> {
  return parse(await read(file, signal));
}

function read(file: string, signal?: AbortSignal): PromiseWithChild<{ stdout: string }> {
  const program = fileURLToPath(builtFile(import.meta.url, 'print-agent-config'));
  const options = { maxBuffer: LIMITS.loadedConfigBytesMax, ...(signal && { signal }) };
  return promisify(execFile)(process.execPath, [program, file], options);
}

function parse({ stdout }: { stdout: string }): Loaded<AgentConfig> {
  return freezeDeep(JSON.parse(stdout) as Loaded<AgentConfig>);
}

/** Who ends this process while the child reads means both. Returns how to stop caring. */
function endWith(child: ChildProcess): () => void {
  const end = (signal: NodeJS.Signals): void => {
    forget();
    // When it is gone. Nobody else listens yet, so the signal then does what it does by itself.
    child.once('exit', () => process.kill(process.pid, signal));
    child.kill('SIGKILL');
  };
  const forget = (): void => {
    for (const signal of SIGNALS) process.removeListener(signal, end);
  };
  for (const signal of SIGNALS) process.once(signal, end);
  return forget;
}
