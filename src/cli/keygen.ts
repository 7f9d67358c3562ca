/** `popprobe keygen`: makes the key pair with which a PoP signs its summaries. */

import { Command } from 'commander';

const HELP = `
Writes NAME.key, the private key, and NAME.pub.json, the public one. Existing files are never replaced.

Example:
  popprobe keygen hkg1 --out /etc/popprobe`;

export function keygenCommand(): Command {
  return new Command('keygen')
    .description('make the key pair of a PoP')
    .argument('<name>', 'name of the PoP, as in the mesh')
    .option('-o, --out <folder>', 'where to write the two files', '.')
    .addHelpText('after', HELP)
    .action(async (name: string, options: { out: string }) => {
      const { writeKeyPair } = await import('../config/key-pair.ts');
      const { keyFile, publicFile, kid } = await writeKeyPair(options.out, name);
      process.stdout.write(`${keyFile}
  the private key. It stays on the host of ${name}, owned by the user that runs the agent; agent.yaml names it
  as key_file. Keep no copy: a lost key is replaced by a new pair.
${publicFile}
  the public key. Give it to the collector; collector.yaml lists it at the PoP ${name} under key_files.
key id ${kid}
`);
    });
}
