/** The options with which evidence is named on the command line, for the commands that read it. */

import { type Command, InvalidArgumentError } from 'commander';
import { type Month, parseMonth } from './month.ts';

/** What the command line says. */
export interface SourceOptions {
  key: string[];
  revoked?: string[];
  pop?: string;
  from?: URL;
  month?: Month;
}

/** Adds them; `--pop` is added by the command itself, with `popName`. */
export function withSourceOptions(command: Command): Command {
  return command
    .argument('[file...]', 'document files, or folders of them')
    .requiredOption('-k, --key <file...>', 'public keys of the PoPs, as popprobe keygen writes them')
    .option('--revoked <file...>', 'public keys that are revoked: another one must vouch for what they signed')
    .option('--from <url>', 'fetch the documents from this collector', collectorUrl)
    .option('-m, --month <yyyy-mm>', 'only this month of a collector, UTC', parseMonth);
}

/** Why these do not go together, or null. */
export function sourceMisuse(files: readonly string[], { from, pop, month }: SourceOptions): string | null {
  if (from === undefined) {
    if (month !== undefined) return '--month goes with --from';
    return files.length === 0 ? 'name document files, or a collector with --from' : null;
  }
  if (files.length > 0) return 'name either files or a collector with --from';
  return pop === undefined ? '--from goes with --pop' : null;
}

/** Reads the name of a PoP. Throws commander's InvalidArgumentError. */
export function popName(text: string): string {
  if (/^[a-z][a-z0-9-]{0,31}$/.test(text)) return text;
  throw new InvalidArgumentError('expected the name of a PoP, such as hkg1');
}

function collectorUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url;
  throw new InvalidArgumentError('expected an http or https URL without a user, such as https://collector.example.net');
}
