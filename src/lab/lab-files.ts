/** Writes what the programs of a lab are started with: keys, the mesh, a file for every agent and the collector's. */

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { makeFolder } from '../config/make-folder.ts';
import { AGENT_SCHEMA } from '../config/agent-schema.ts';
import { COLLECTOR_SCHEMA } from '../config/collector-config.ts';
import { writeKeyPair } from '../config/key-pair.ts';
import type { LabScenario } from '../config/lab-scenario.ts';
import { writeStampKey } from '../config/new-stamp-key.ts';

/** TCP port of the collector in the emulated network. */
export const COLLECTOR_PORT = 8790;

/** Where everything of a lab is, below its folder. */
export interface LabFiles {
  readonly folder: string;
  readonly log: string;
  readonly truth: string;
  readonly store: string;
  readonly collectorConfig: string;
  agentConfig(pop: string): string;
  publicKey(pop: string): string;
  spool(pop: string): string;
}

/** Their paths; nothing is read or written. */
export function labFiles(folder: string): LabFiles {
  return {
    folder,
    log: join(folder, 'log'),
    truth: join(folder, 'truth.jsonl'),
    store: join(folder, 'collector.db'),
    collectorConfig: join(folder, 'collector.yaml'),
    agentConfig: (pop) => join(folder, `${pop}.yaml`),
    publicKey: (pop) => join(folder, 'keys', `${pop}.pub.json`),
    spool: (pop) => join(folder, 'spool', pop),
  };
}

/** Empties the folder and writes everything anew, with new keys. Throws key_unwritable or an Error of node:fs. */
export async function writeLabFiles(files: LabFiles, scenario: LabScenario): Promise<void> {
  await rm(files.folder, { recursive: true, force: true });
  makeFolder(files.log);
  const pops = scenario.mesh.pops.map(({ name }) => name);
  for (const pop of pops) await writeKeyPair(join(files.folder, 'keys'), pop);
  if (scenario.mesh.probes.some((probe) => probe.kind === 'stamp' && probe.authenticated)) {
    for (const from of pops) {
      for (const to of pops) if (from !== to) await writeStampKey(join(files.folder, 'stamp-keys'), `${from}-to-${to}`);
    }
  }
  await writeYaml(join(files.folder, 'mesh.yaml'), scenario.mesh);
  for (const pop of pops) await writeYaml(files.agentConfig(pop), agentFile(pop, scenario));
  await writeYaml(files.collectorConfig, collectorFile(pops, files));
}

function agentFile(pop: string, { hosts }: LabScenario): object {
  const own = hosts.find(({ name }) => name === pop);
  const collector = hosts.at(-1);
  // Every PoP has one of the two families, and the collector has both.
  const address = own?.ipv4 === null ? `[${collector?.ipv6 ?? ''}]` : collector?.ipv4;
  return {
    schema: AGENT_SCHEMA,
    pop,
    mesh: 'mesh.yaml',
    key_file: `keys/${pop}.key`,
    stamp_keys: 'stamp-keys',
    collector: { url: `http://${address}:${COLLECTOR_PORT}` },
    spool: { directory: `spool/${pop}` },
    status_socket: `${pop}.sock`,
  };
}

function collectorFile(pops: readonly string[], files: LabFiles): object {
  return {
    schema: COLLECTOR_SCHEMA,
    listen: { host: '::', port: COLLECTOR_PORT },
    store: { sqlite_file: files.store },
    pops: pops.map((name) => ({ name, keys: [{ file: files.publicKey(name) }] })),
  };
}

async function writeYaml(file: string, value: object): Promise<void> {
  await writeFile(file, stringify(value));
}
