/** `popprobe lab`: runs an emulated backbone with real agents on this machine, and holds what they say against the truth. */

import { Command } from 'commander';
import { LAB_NAME, LAB_PORT, portNumber } from './lab-options.ts';
import { parseDuration } from './duration.ts';

const HELP = `
Every PoP of the scenario is a network namespace with a real agent; an emulator moves real packets between them, with the
delays, losses and outages of the scenario, and writes down what it did. The collector is a host of that network too; its
web side is on 127.0.0.1. Needs root, Linux with /dev/net/tun, and iproute2. Everything is in var/lab, which is emptied
first; Ctrl-C ends and removes everything.

With --verify the lab ends after the scenario's last event, compares what the agents signed and the collector stored with
what the emulator did, prints a table, and exits with 1 on any difference.

Examples:
  popprobe lab
  popprobe lab --scenario config/lab/bad-day.yaml --verify
  popprobe lab --scenario my.yaml --for 5m --verify`;

export interface LabOptions {
  scenario?: string;
  name: string;
  port: number;
  folder?: string;
  for?: number;
  verify?: boolean;
  json?: boolean;
}

export function labCommand(): Command {
  return new Command('lab')
    .description('run an emulated backbone on this machine, and verify what its agents measure')
    .option('-s, --scenario <file>', 'scenario file (default: config/lab/backbone.yaml of this installation)')
    .option('-n, --name <name>', 'tells labs on one machine apart', LAB_NAME)
    .option('-p, --port <port>', "TCP port on 127.0.0.1 of the collector's web side", portNumber, LAB_PORT)
    .option('--folder <folder>', 'where keys, logs, data and truth go (default: var/lab of this installation)')
    .option('--for <time>', 'end by itself after this time, such as 90s or 5m', parseDuration)
    .option('--verify', 'compare with the truth at the end')
    .option('--json', 'print the verification as one line of JSON, for programs')
    .addHelpText('after', HELP)
    .action(async (options: LabOptions) => {
      const { runLab } = await import('./run-lab.ts');
      await runLab(options);
    });
}
