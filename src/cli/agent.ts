/** `popprobe agent`: runs the measuring daemon in the foreground. */

import { Command } from 'commander';
import { requireConfig } from './require-config.ts';
import { HangUps } from './hang-ups.ts';
import { makeLogger } from './logger.ts';
import { untilToldToStop } from './until-told.ts';
import { software } from './version.ts';

const HELP = `
The agent probes every peer PoP of its mesh, answers theirs, seals one signed summary per window and pushes it to the
collector. It runs until SIGTERM or Ctrl-C. Check its configuration first with "popprobe check".

On SIGHUP it reads its configuration again. A bad one is refused with the reason in the log, and the running one stays. A
good one is taken when the running window has ended; what it does not change is probed on without a gap.

Example:
  popprobe agent --config /etc/popprobe/agent.yaml`;

export function agentCommand(): Command {
  return new Command('agent')
    .description('run the measuring daemon of one PoP')
    .requiredOption('-c, --config <file>', 'agent file of this host')
    .addHelpText('after', HELP)
    .action(async (options: { config: string }) => {
      const { loadAgentConfigAside, reloadAgentConfig } = await import('../config/load-aside.ts');
      const { startAgent } = await import('../agent/agent.ts');
      const config = requireConfig(await loadAgentConfigAside(options.config));
      const log = await makeLogger(config.logLevel);
      const hangUps = new HangUps();
      const agent = await startAgent(config, software(), log, {
        load: (signal) => reloadAgentConfig(options.config, signal),
        onFailure(error) {
          log.fatal({ err: error }, 'a measuring thread died; the agent cannot go on');
          process.exit(1);
        },
      });
      hangUps.tell(() => agent.reload());
      const reason = await untilToldToStop();
      log.info({ reason }, 'stopping');
      await agent.stop();
    });
}
