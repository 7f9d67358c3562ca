#!/usr/bin/env node
/** The executable: parses the command line, nothing else. */

import { Command, CommanderError } from 'commander';
import { PopprobeError } from './base/errors.ts';
import { agentCommand } from './cli/agent.ts';
import { checkCommand } from './cli/check.ts';
import { endWithReader } from './cli/closed-output.ts';
import { collectorCommand } from './cli/collector.ts';
import { evidenceCommand } from './cli/evidence-command.ts';
import { keygenCommand } from './cli/keygen.ts';
import { labCommand } from './cli/lab.ts';
import { labForwarderCommand } from './cli/lab-forwarder.ts';
import { startCommand } from './cli/start.ts';
import { spoolCommand } from './cli/spool.ts';
import { statusCommand } from './cli/status.ts';
import { traceCommand } from './cli/trace.ts';
import { verifyCommand } from './cli/verify.ts';
import { software } from './cli/version.ts';

const HELP = `
Exit status: 0 success, 1 failure, 2 wrong use of the command line.

Example:
  popprobe check /etc/popprobe/agent.yaml`;

/** A command's file loads what its action needs only when it runs: the agent must not carry the collector's database. */
const COMMANDS = [
  agentCommand,
  collectorCommand,
  checkCommand,
  keygenCommand,
  statusCommand,
  spoolCommand,
  traceCommand,
  verifyCommand,
  evidenceCommand,
  startCommand,
  labCommand,
];

const program = new Command('popprobe')
  .description('Measures PoP availability, latency and loss on a backbone, as signed evidence for an SLA.')
  .version(software())
  .addHelpText('after', HELP)
  .exitOverride();
for (const command of COMMANDS) program.addCommand(inheriting(command(), program));
program.addCommand(inheriting(labForwarderCommand(), program), { hidden: true });

endWithReader();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong, or has printed the help that was asked for.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof PopprobeError) {
    process.stderr.write(`popprobe: ${error.message} [${error.code}]\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}

/** Wrong use is status 2 for the parts of a command as well. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const part of command.commands) inheriting(part, command);
  return command;
}
