/** `popprobe start`: runs a mesh on this machine and shows it live: the lab where it can, else three PoPs on loopback. */

import { Command } from 'commander';
import { parseDuration } from './duration.ts';
import { LAB_NAME, LAB_PORT } from './lab-options.ts';

const HELP = `
As root on Linux with /dev/net/tun it runs the lab: eight PoPs around the world with real agents, and an emulated backbone
between them (config/lab/backbone.yaml; "popprobe lab --help" says more). Otherwise, or with --loopback, one collector and
three agents (hkg1, sin1, lax1 on 127.0.1.1 to 127.0.1.3) as real processes with the files in config/quickstart. Keys are
made for this run; keys, logs and data are in var/lab or var/quickstart, which is emptied first. Ctrl-C ends everything.

Examples:
  npm start
  npm start -- --for 30s
  npm start -- --loopback`;

export function startCommand(): Command {
  return new Command('start')
    .description('run a mesh of PoPs on this machine and watch it')
    .option('--for <time>', 'end by itself after this time, such as 30s or 5m', parseDuration)
    .option('--loopback', 'three PoPs on loopback, also where the lab could run')
    .addHelpText('after', HELP)
    .action(async (options: { for?: number; loopback?: boolean }) => {
      const { labMissing, runLab } = await import('./run-lab.ts');
      const missing = options.loopback === true ? 'as asked for' : labMissing();
      if (missing === null) {
        await runLab({ name: LAB_NAME, port: LAB_PORT, ...(options.for !== undefined && { for: options.for }) });
        return;
      }
      process.stdout.write(`popprobe start: a mesh on loopback instead of the lab (${missing})\n`);
      const { runQuickstart } = await import('./quickstart.ts');
      await runQuickstart(options.for);
    });
}
