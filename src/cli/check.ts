/** `popprobe check`: says everything that is wrong with configuration files. */

import { Command } from 'commander';

const HELP = `
Reads each file as the daemons would and reports every mistake at once, with file, line and column. The line "schema:"
says which kind a file is: a mesh, an agent (its mesh, its private key and its STAMP keys are checked with it), a collector
(its public keys are checked with it) or a scenario of the lab. Exit status: 0 no mistakes, 1 mistakes, 2 wrong use of the
command.

Example:
  popprobe check /etc/popprobe/agent.yaml`;

export function checkCommand(): Command {
  return new Command('check')
    .description('find every mistake in configuration files')
    .argument('<file...>', 'mesh, agent, collector or scenario files')
    .addHelpText('after', HELP)
    .action(async (files: string[]) => {
      const { checkFiles } = await import('./check-files.ts');
      const report = await checkFiles(files);
      process.stdout.write(report.lines.map((line) => `${line}\n`).join(''));
      if (!report.ok) process.exitCode = 1;
    });
}
