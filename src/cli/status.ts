/** `popprobe status`: asks the agent on this host how it is doing. */

import { Command } from 'commander';
import type { AgentStatus } from '../agent/status.ts';
import { LIMITS } from '../base/limits.ts';
import { type AgentOptions, askAgent, DEFAULT_SOCKET, type Question, socketPath } from './ask-agent.ts';
import { pathArgument } from './path-argument.ts';
import { renderStatus } from './render-status.ts';

const HELP = `
Asks the running agent over its Unix socket: what carries its probes, the newest window per peer, and whether the
collector accepts what it pushes.

Examples:
  popprobe status
  popprobe status --config /etc/popprobe/agent.yaml
  popprobe status --json | jq .push`;

/** `members` is all that is shown. */
const QUESTION: Question<AgentStatus> = {
  path: '/v1/status',
  timeoutMs: LIMITS.pushTimeoutMs,
  members: [
    'pop',
    'software',
    'started_at',
    'config',
    'sockets',
    'transport_reason',
    'clock',
    'push',
    'spool',
    'signing',
    'sealing',
    'clock_steps_untold',
    'traces',
    'latest',
  ],
};

interface Options extends AgentOptions {
  json?: true;
}

export function statusCommand(): Command {
  return new Command('status')
    .description('ask the agent on this host how it is doing')
    .option('-s, --socket <path>', `status socket of the agent (default: ${DEFAULT_SOCKET})`, pathArgument)
    .option('-c, --config <file>', 'agent file to read the socket from')
    .option('--json', 'print the whole answer as JSON')
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      const socket = await socketPath(options);
      const status = await askAgent(socket, QUESTION);
      process.stdout.write(options.json ? `${JSON.stringify(status, null, 2)}\n` : renderStatus(status, Date.now()));
    });
}
