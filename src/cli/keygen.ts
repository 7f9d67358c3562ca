/** `popprobe keygen`: makes the key pair with which a PoP signs its summaries, or the key of a STAMP session. */

import { Command } from 'commander';

const HELP = `
Writes NAME.key, the private key, and NAME.pub.json, the public one. With --stamp, NAME is a session such as hkg1-to-sin1,
and NAME.key is the key with which hkg1 sends authenticated STAMP packets to sin1. Existing files are never replaced.

Example:
  popprobe keygen hkg1 --out /etc/popprobe
  popprobe keygen --stamp hkg1-to-sin1 --out /etc/popprobe/stamp`;

export function keygenCommand(): Command {
  return new Command('keygen')
    .description('make the key pair of a PoP, or the key of a STAMP session')
    .argument('<name>', 'name of the PoP, as in the mesh, or of the session')
    .option('-o, --out <folder>', 'where to write the files', '.')
    .option('--stamp', 'make the key of a STAMP session')
    .addHelpText('after', HELP)
    .action((name: string, options: { out: string; stamp?: true }) =>
      options.stamp === undefined ? makePair(name, options.out) : makeStampKey(name, options.out),
    );
}

async function makePair(name: string, folder: string): Promise<void> {
  const { writeKeyPair } = await import('../config/key-pair.ts');
  const { keyFile, publicFile, kid } = await writeKeyPair(folder, name);
  process.stdout.write(`${keyFile}
  the private key. It stays on the host of ${name}, owned by the user that runs the agent; agent.yaml names it
  as key_file, or as next_key_file when it replaces another one. Keep no copy: a lost key is replaced by a new pair.
${publicFile}
  the public key. Give it to the collector; collector.yaml lists it at the PoP ${name} under keys.
key id ${kid}
`);
}

async function makeStampKey(session: string, folder: string): Promise<void> {
  const { writeStampKey } = await import('../config/new-stamp-key.ts');
  const file = await writeStampKey(folder, session);
  process.stdout.write(`${file}
  the key of the STAMP session ${session}. Put the same file on both hosts, in the folder that agent.yaml
  names as stamp_keys, owned by the user that runs the agent. Whoever has it can forge the session's packets.
`);
}
