/** `popprobe lab-forwarder`: the emulator of a lab as a process of its own. Started by "popprobe lab", not by people. */

import { Command } from 'commander';
import { makeLogger } from './logger.ts';
import { requireConfig } from './require-config.ts';
import { untilToldToStop } from './until-told.ts';

interface Options {
  scenario: string;
  lab: string;
  truth: string;
}

export function labForwarderCommand(): Command {
  return new Command('lab-forwarder')
    .description('move the packets of a lab (started by "popprobe lab")')
    .requiredOption('--scenario <file>', 'scenario file')
    .requiredOption('--lab <name>', 'name of the lab')
    .requiredOption('--truth <file>', 'where to write what was done')
    .action(async ({ scenario: file, lab, truth }: Options) => {
      const { loadLabScenario } = await import('../config/lab-config.ts');
      const { startForwarding } = await import('../lab/forwarding.ts');
      const scenario = requireConfig(loadLabScenario(file));
      const log = await makeLogger('info');
      const forwarding = await startForwarding({ scenario, lab, truth, log }, (error) => {
        log.fatal({ err: error }, 'the forwarding thread died; the lab cannot go on');
        process.exit(1);
      });
      process.on('message', (message) => {
        if (message === 'begin') void forwarding.begin();
      });
      log.info({ hosts: scenario.hosts.length }, 'forwarding');
      const reason = await untilToldToStop();
      log.info({ reason }, 'stopping');
      await forwarding.stop();
      log.info('stopped');
    });
}
