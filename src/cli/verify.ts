/** `popprobe verify`: verifies evidence, from files or from a collector, with nothing but the PoPs' public keys. */

import { Command } from 'commander';
import { popName, sourceMisuse, type SourceOptions, withSourceOptions } from './source-options.ts';
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
export interface VerifyOptions extends SourceOptions {
  json?: true;
}

export function verifyCommand(): Command {
  const command = withSourceOptions(new Command('verify'))
    .description('verify signed documents: each one, and that they are a whole chain')
    .option('-p, --pop <name>', 'PoP whose documents and keys these are', popName)
    .option('--json', 'print the verdict as JSON')
    .addHelpText('after', HELP);
  return command.action(async (files: string[], options: VerifyOptions) => {
    const misuse = sourceMisuse(files, options);
    if (misuse !== null) command.error(`error: ${misuse}`);
    const { runVerify } = await import('./run-verify.ts');
    const isValid = await runVerify(files, options, {
      out: process.stdout,
      err: process.stderr,
      nowMs: Date.now,
      software: software(),
    });
    if (!isValid) process.exitCode = 1;
  });
}
