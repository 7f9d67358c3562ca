/** `popprobe start`: runs the quickstart mesh on this machine and shows it live. */

import { Command, InvalidArgumentError } from 'commander';
import { MS_PER_S } from '../base/units.ts';

const HELP = `
Starts one collector and three agents (hkg1, sin1, lax1 on 127.0.1.1 to 127.0.1.3) as real processes with the files in
config/quickstart, each with a key made for this run, and shows what the collector holds. Keys, logs and data are in
var/quickstart, which is emptied first. Ctrl-C ends everything.

Examples:
  npm start
  npm start -- --for 30s`;

export function startCommand(): Command {
  return new Command('start')
    .description('run a mesh of three PoPs on this machine and watch it')
    .option('--for <time>', 'end by itself after this time, such as 30s or 5m', parseDuration)
    .addHelpText('after', HELP)
    .action(async (options: { for?: number }) => {
      const { runQuickstart } = await import('./quickstart.ts');
      await runQuickstart(options.for);
    });
}

/** '30s', '5m' or '2h' as ms. */
function parseDuration(text: string): number {
  const match = /^(\d+)(s|m|h)$/.exec(text);
  if (!match) throw new InvalidArgumentError('expected a number and s, m or h, such as 30s');
  const unitsS: Record<string, number> = { s: 1, m: 60, h: 3600 };
  return Number(match[1]) * (unitsS[match[2] ?? ''] ?? 0) * MS_PER_S;
}
