/** `popprobe verify`: verifies evidence, from files or from a collector, with nothing but the PoPs' public keys. */

import { Command, InvalidArgumentError } from 'commander';
import { type Month, parseMonth } from './month.ts';
import { software } from './version.ts';

const HELP = `
FILE is a document as an agent's spool keeps it (one line with signature and digest, then the octets), or a folder of them
(*.jws). With --from the documents of one PoP are fetched from a collector, which is believed in nothing. Of each document
the digest, the signature, the schema and its sums are checked, and that the key is one of the PoP's own; of all documents
of a PoP, that they are one chain, with no number missing or used twice, no time left out or measured twice, and no key
that the one before did not announce. What the PoP itself declares to be missing is a note, and no fault.

--key names public keys (NAME.pub.json of "popprobe keygen"). The file's name says whose key it is; with --pop every key is
taken to be of that PoP, so name only its own. A month is the windows that start and the events that were in it, UTC.

Nothing is written: it may be interrupted and repeated. docs/verify.md explains the verdict, docs/errors.md each code.
Exit status: 0 valid, 1 not valid or not verified, 2 wrong use of the command.

Examples:
  popprobe verify /var/lib/popprobe/spool --key hkg1.pub.json
  popprobe verify 0000001767225600.jws 0000001767225601.jws --key hkg1.pub.json
  popprobe verify --from https://collector.example.net --pop hkg1 --month 2026-01 --key hkg1.pub.json`;

/** What the command line says. */
export interface VerifyOptions {
  key: string[];
  pop?: string;
  from?: URL;
  month?: Month;
  json?: true;
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('verify signed documents: each one, and that they are a whole chain')
    .argument('[file...]', 'document files, or folders of them')
    .requiredOption('-k, --key <file...>', 'public keys of the PoPs, as popprobe keygen writes them')
    .option('-p, --pop <name>', 'PoP whose documents and keys these are', popName)
    .option('--from <url>', 'fetch the documents from this collector', collectorUrl)
    .option('-m, --month <yyyy-mm>', 'only this month of a collector, UTC', parseMonth)
    .option('--json', 'print the verdict as JSON')
    .addHelpText('after', HELP);
  return command.action(async (files: string[], options: VerifyOptions) => {
    const misuse = misuseOf(files, options);
    if (misuse !== null) command.error(`error: ${misuse}`);
    const { runVerify } = await import('./run-verify.ts');
    const isValid = await runVerify(files, options, { out: process.stdout, nowMs: Date.now, software: software() });
    if (!isValid) process.exitCode = 1;
  });
}

function misuseOf(files: readonly string[], { from, pop, month }: VerifyOptions): string | null {
  if (from === undefined) {
    if (month !== undefined) return '--month goes with --from';
    return files.length === 0 ? 'name document files, or a collector with --from' : null;
  }
  if (files.length > 0) return 'name either files or a collector with --from';
  return pop === undefined ? '--from goes with --pop' : null;
}

function popName(text: string): string {
  if (/^[a-z][a-z0-9-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError('expected the name of a PoP, such as hkg1');
}

function collectorUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  throw new InvalidArgumentError('expected an http or https URL without a user, such as https://collector.example.net');
}
