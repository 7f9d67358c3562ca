/** Finds the spool that the command line means: its folder, and the socket of the agent that may be using it. */

import { resolve } from 'node:path';
import { loadAgentConfig } from '../config/agent-config.ts';
import { requireConfig } from './require-config.ts';
import type { PlaceOptions } from './spool.ts';

export interface SpoolPlace {
  directory: string;
  /** Where the agent answers when it runs; null when nobody has said. */
  socket: string | null;
}

/** Ends the process when the agent file is wrong. */
export function spoolPlace({ config, directory = '', socket }: PlaceOptions): SpoolPlace {
  if (config === undefined) return { directory: resolve(directory), socket: socket ?? null };
  const { spool, statusSocket } = requireConfig(loadAgentConfig(config));
  return { directory: spool.directory, socket: statusSocket };
}
