/** `popprobe evidence`: hands out evidence in a form that anybody can verify without popprobe. */

import { Command } from 'commander';
import { popName, sourceMisuse, type SourceOptions, withSourceOptions } from './source-options.ts';
import { software } from './version.ts';

const HELP = `
Verifies the documents of one PoP as "popprobe verify" does, and writes them down as a bundle: each document as it was signed
and its signature, a file each; the public keys as JWK and PEM; the sums of all files (SHA256SUMS); the verdict; and a README
that says how everything is verified with OpenSSL or Python alone. A document in which something is wrong is left out, and the
verdict says what. The same evidence gives the same octets, but for the verdict's time.

OUT is a folder, or a tar file when it ends in .tar. A folder may be interrupted and repeated: what is there already is kept.
A tar file has its name when it is complete. docs/verify.md says more.
Exit status: 0 valid and written, 1 not valid (the bundle is written) or not written, 2 wrong use of the command.

Examples:
  popprobe evidence export --from https://collector.example.net --pop hkg1 --month 2026-01 --key hkg1.pub.json --out hkg1-2026-01
  popprobe evidence export /var/lib/popprobe/spool --pop hkg1 --key hkg1.pub.json hkg1-2025.pub.json --out undelivered.tar`;

export interface ExportOptions extends SourceOptions {
  pop: string;
  out: string;
}

export function evidenceCommand(): Command {
  return new Command('evidence').description('hand out signed documents as evidence').addCommand(exportCommand());
}

function exportCommand(): Command {
  const command = withSourceOptions(new Command('export'))
    .description('write verified documents as a bundle that needs no popprobe to be verified')
    .requiredOption('-p, --pop <name>', 'PoP whose documents and keys these are', popName)
    .requiredOption('-o, --out <path>', 'folder to write, or tar file when it ends in .tar')
    .addHelpText('after', HELP);
  return command.action(async (files: string[], options: ExportOptions) => {
    const misuse = sourceMisuse(files, options);
    if (misuse !== null) command.error(`error: ${misuse}`);
    const { runExport } = await import('./run-export.ts');
    const isValid = await runExport(files, options, {
      out: process.stdout,
      err: process.stderr,
      nowMs: Date.now,
      software: software(),
    });
    if (!isValid) process.exitCode = 1;
  });
}
