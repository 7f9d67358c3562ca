/** `popprobe collector`: runs the collector in the foreground. */

import { Command } from 'commander';
import { HangUps } from './hang-ups.ts';
import { requireConfig } from './require-config.ts';
import { makeLogger } from './logger.ts';
import { untilToldToStop } from './until-told.ts';

const HELP = `
The collector accepts signed documents from the agents whose keys it knows, verifies and stores them, and serves the
mesh as JSON. It runs until SIGTERM or Ctrl-C. Check its configuration first with "popprobe check".

On SIGHUP it reads its configuration again, and believes the keys of the new one from that moment on: so a key is revoked. A
bad configuration is refused with the reason in the log, and the running one stays.

Example:
  popprobe collector --config /etc/popprobe/collector.yaml`;

export function collectorCommand(): Command {
  return new Command('collector')
    .description('run the collector of one operator')
    .requiredOption('-c, --config <file>', 'collector file')
    .addHelpText('after', HELP)
    .action(async (options: { config: string }) => {
      const { loadCollectorConfig } = await import('../config/collector-config.ts');
      const { startCollector } = await import('../collector/collector.ts');
      const config = requireConfig(loadCollectorConfig(options.config));
      const log = await makeLogger(config.logLevel);
      const hangUps = new HangUps();
      const collector = await startCollector(config, log, { load: () => loadCollectorConfig(options.config) });
      hangUps.tell(() => void collector.reload());
      const reason = await untilToldToStop();
      log.info({ reason }, 'stopping');
      await collector.close();
      log.info('stopped');
    });
}
