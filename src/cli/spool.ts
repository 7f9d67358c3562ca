/** `popprobe spool`: looks into the folder where an agent's documents wait, and looks after it. */

import { Command, InvalidArgumentError } from 'commander';
import { pathArgument } from './path-argument.ts';
import type { Streams } from './progress.ts';

const HELP = `
An agent keeps every signed document in its spool folder until a collector has it. What a collector refuses for good, and
what has gone bad on the disk, is in the folder's quarantine beside the reason. The folder is the one that the agent file
names (--config), or --directory.

"list" and "show" only read. "retry" and "drop" ask the agent that runs over its status socket; without one they claim the
folder and do it themselves. "push" is for a stopped agent.

Examples:
  popprobe spool list --config /etc/popprobe/agent.yaml
  popprobe spool show 1767225600 --directory /var/lib/popprobe/spool
  popprobe spool retry --all --config /etc/popprobe/agent.yaml
  popprobe spool drop 1767225600 --yes --config /etc/popprobe/agent.yaml`;

const LIST_HELP = `
Shows each document: its number, what it is, the begin of its window or when its event happened, its octets on the disk, how
long ago it was written, and that it waits, or why it is in the quarantine. A file whose beginning is no document's is "?".
On a terminal the table comes when all are read, in a pipe each line at once.

Examples:
  popprobe spool list --config /etc/popprobe/agent.yaml --quarantined
  popprobe spool list --directory /var/lib/popprobe/spool --json | jq '.documents[].sequence'`;

const SHOW_HELP = `
Shows what was signed, laid out to be read. --octets writes the very octets, --signature the line that signs them. A file that
is not a whole document is refused, and said to be so. popprobe verify tells whether to believe it.

Examples:
  popprobe spool show 1767225600 --config /etc/popprobe/agent.yaml | less
  popprobe spool show 1767225600 --config /etc/popprobe/agent.yaml --octets | sha256sum`;

const RETRY_HELP = `
Puts documents of the quarantine back into the queue: after the collector was told of a new key, for example. What is not
whole stays where it is. Exit status: 0 all of them, 1 not all, 2 wrong use of the command.

Examples:
  popprobe spool retry 1767225600 1767225601 --config /etc/popprobe/agent.yaml
  popprobe spool retry --all --config /etc/popprobe/agent.yaml`;

const DROP_HELP = `
Deletes documents, from the queue or the quarantine. They are evidence: the agent's next signed record says that they were
dropped by hand. Exit status: 0 all of them, 1 not all, 2 wrong use of the command.

Examples:
  popprobe spool drop 1767225600 --yes --config /etc/popprobe/agent.yaml
  popprobe spool drop --quarantined --yes --config /etc/popprobe/agent.yaml`;

const PUSH_HELP = `
Delivers what waits, as the agent would, while the agent is stopped: by the collectors, certificates and proxy of its file. It
ends when the queue is empty, or with Ctrl-C; what was not delivered then stays, and it may be repeated. Exit status: 0 all
were accepted, 1 not all, 2 wrong use of the command.

Example:
  popprobe spool push --config /etc/popprobe/agent.yaml`;

/** Where the command line says that the spool is. */
export interface PlaceOptions {
  config?: string;
  directory?: string;
  socket?: string;
}

export interface ListOptions extends PlaceOptions {
  quarantined?: true;
  json?: true;
}

export interface ShowOptions extends PlaceOptions {
  octets?: true;
  signature?: true;
}

export interface ChangeOptions extends PlaceOptions {
  all?: true;
  quarantined?: true;
  yes?: true;
}

export function spoolCommand(): Command {
  const command = new Command('spool')
    .description('look into the folder where documents wait, and look after it')
    .addHelpText('after', HELP);
  for (const part of [list, show, retry, drop, push]) command.addCommand(part());
  return command;
}

function list(): Command {
  return placed('list', 'list the documents that wait, and those in the quarantine', LIST_HELP)
    .option('--quarantined', 'only those in the quarantine')
    .option('--json', 'print the list as JSON')
    .action(async (options: ListOptions, command: Command) => {
      mustNamePlace(options, command);
      const { runSpoolList } = await import('./run-spool-list.ts');
      await runSpoolList(options, { ...streams(), nowMs: Date.now });
    });
}

function show(): Command {
  return placed('show', 'show one document', SHOW_HELP)
    .argument('<sequence>', 'its number', sequenceNumber)
    .option('--octets', 'write the octets that were signed, as they are')
    .option('--signature', 'write the line of the signature')
    .action(async (sequence: number, options: ShowOptions, command: Command) => {
      mustNamePlace(options, command);
      const { runSpoolShow } = await import('./run-spool-show.ts');
      runSpoolShow(sequence, options, process.stdout);
    });
}

function retry(): Command {
  return placed('retry', 'send documents of the quarantine again', RETRY_HELP)
    .argument('[sequence...]', 'their numbers', sequenceNumbers, [])
    .option('--all', 'all of them')
    .option('-s, --socket <path>', 'status socket of the agent that runs, with --directory', pathArgument)
    .action(async (sequences: number[], options: ChangeOptions, command: Command) => {
      mustNamePlace(options, command);
      mustNameDocuments(sequences, options.all, command, '--all');
      const { runSpoolRetry } = await import('./run-spool-change.ts');
      if (!(await runSpoolRetry(sequences, options, streams()))) process.exitCode = 1;
    });
}

function drop(): Command {
  return placed('drop', 'delete documents for good', DROP_HELP)
    .argument('[sequence...]', 'their numbers', sequenceNumbers, [])
    .option('--all', 'all that wait, and all in the quarantine')
    .option('--quarantined', 'all in the quarantine')
    .option('--yes', 'do it: without this it only says what it would delete')
    .option('-s, --socket <path>', 'status socket of the agent that runs, with --directory', pathArgument)
    .action(async (sequences: number[], options: ChangeOptions, command: Command) => {
      mustNamePlace(options, command);
      mustNameDocuments(sequences, options.all ?? options.quarantined, command, '--all or --quarantined');
      const { runSpoolDrop } = await import('./run-spool-change.ts');
      if (!(await runSpoolDrop(sequences, options, streams()))) process.exitCode = 1;
    });
}

function push(): Command {
  return new Command('push')
    .description('deliver what waits, while the agent is stopped')
    .requiredOption('-c, --config <file>', 'agent file')
    .addHelpText('after', PUSH_HELP)
    .action(async ({ config }: { config: string }) => {
      const { runSpoolPush } = await import('./run-spool-push.ts');
      if (!(await runSpoolPush(config, streams()))) process.exitCode = 1;
    });
}

function placed(name: string, description: string, help: string): Command {
  return new Command(name)
    .description(description)
    .option('-c, --config <file>', 'agent file that names the folder')
    .option('-d, --directory <folder>', 'the folder itself', pathArgument)
    .addHelpText('after', help);
}

function mustNamePlace({ config, directory }: PlaceOptions, command: Command): void {
  if ((config === undefined) === (directory === undefined)) {
    command.error('error: name the spool with either --config or --directory');
  }
}

function mustNameDocuments(
  sequences: readonly number[],
  all: true | undefined,
  command: Command,
  option: string,
): void {
  if (sequences.length > 0 === (all === true)) command.error(`error: name either documents or ${option}`);
}

function sequenceNumber(text: string): number {
  const sequence = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (Number.isSafeInteger(sequence) && sequence > 0) return sequence;
  throw new InvalidArgumentError('expected the number of a document, such as 1767225600');
}

function sequenceNumbers(text: string, before: number[]): number[] {
  return [...before, sequenceNumber(text)];
}

function streams(): Streams {
  return { out: process.stdout, err: process.stderr };
}
