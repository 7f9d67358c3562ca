/** The real collector program, for agents whose keys are in a folder. */

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningProgram, start } from '../processes.ts';

/** The built program: this file runs as .bench/bench/delivery/collector-program.js. */
const PROGRAM = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

export interface CollectorProgram {
  url: string;
  program: RunningProgram;
}

/** Documents by how they were answered, since the collector was started. */
export interface Answered {
  accepted: number;
  duplicate: number;
  refused: Record<string, number>;
}

/** Starts it with a database of its own in the folder, and waits until it listens. */
export async function startCollector(folder: string, pops: readonly string[]): Promise<CollectorProgram> {
  const port = await freePort();
  const config = join(folder, 'collector.yaml');
  const lines = [
    'schema: popprobe.collector/1',
    `listen: { host: 127.0.0.1, port: ${port} }`,
    'store: { sqlite_file: collector.db }',
    'log_level: warn',
    'pops:',
    ...pops.map((pop) => `  - { name: ${pop}, keys: [{ file: ${pop}.pub.json }] }`),
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const args = [PROGRAM, 'collector', '--config', config];
  const program = start({ namespace: null, command: process.execPath, args });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswering(url, program);
  return { url, program };
}

export async function answeredBy({ url }: CollectorProgram): Promise<Answered> {
  const response = await fetch(`${url}/healthz`);
  return (await response.json()) as Answered;
}

async function untilAnswering(url: string, program: RunningProgram): Promise<void> {
  for (;;) {
    const isAnswering = await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isAnswering) return;
    if (program.child.exitCode !== null) throw new Error(`the collector ended: ${program.stderr}${program.stdout}`);
  }
}

/** A TCP port on which nobody listens: one that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
