/** `popprobe status`: asks the agent on this host how it is doing. */

import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { Command } from 'commander';
import type { AgentStatus } from '../agent/status.ts';
import { LIMITS } from '../base/limits.ts';
import { PopprobeError } from '../base/errors.ts';
import { renderStatus } from './render-status.ts';
import { requireConfig } from './require-config.ts';

const DEFAULT_SOCKET = '/run/popprobe/agent.sock';
const HELP = `
Asks the running agent over its Unix socket: what carries its probes, the newest window per peer, and whether the
collector accepts what it pushes.

Examples:
  popprobe status
  popprobe status --config /etc/popprobe/agent.yaml
  popprobe status --json | jq .push`;

interface Options {
  socket?: string;
  config?: string;
  json?: true;
}

export function statusCommand(): Command {
  return new Command('status')
    .description('ask the agent on this host how it is doing')
    .option('-s, --socket <path>', `status socket of the agent (default: ${DEFAULT_SOCKET})`)
    .option('-c, --config <file>', 'agent file to read the socket from')
    .option('--json', 'print the whole answer as JSON')
    .addHelpText('after', HELP)
    .action(async (options: Options) => {
      const status = await askAgent(await socketPath(options));
      process.stdout.write(options.json ? `${JSON.stringify(status, null, 2)}\n` : renderStatus(status, Date.now()));
    });
}

async function socketPath(options: Options): Promise<string> {
  if (options.socket !== undefined) return options.socket;
  if (options.config === undefined) return DEFAULT_SOCKET;
  const { loadAgentConfig } = await import('../config/agent-config.ts');
  return requireConfig(loadAgentConfig(options.config)).statusSocket;
}

/** Reads the agent's status. Throws agent_unreachable. */
async function askAgent(socket: string): Promise<AgentStatus> {
  try {
    return await new Promise<AgentStatus>((resolve, reject) => {
      const asked = request({ socketPath: socket, path: '/v1/status', timeout: LIMITS.pushTimeoutMs }, (response) => {
        json(response).then((body) => resolve(body as AgentStatus), reject);
      });
      asked.on('error', reject);
      asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
      asked.end();
    });
  } catch (cause) {
    throw new PopprobeError('agent_unreachable', {
      expected: `a running agent on ${socket}`,
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'start the agent, or name its socket with --socket or its file with --config',
      cause,
    });
  }
}
