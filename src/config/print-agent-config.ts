/** A program of its own: reads the agent file that its argument names and prints what came of it as JSON. */

import { loadAgentConfig } from './agent-config.ts';

process.stdout.write(JSON.stringify(loadAgentConfig(process.argv[2] ?? '')));
