/** Child program: the storing and delivering half of agents, with the product's spool and pusher. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Pusher } from '../../src/agent/push.ts';
import { openSpool, type Spool } from '../../src/agent/spool.ts';
import { signDetached, type SigningKey } from '../../src/protocol/jws.ts';
import { readSigningKey } from '../../src/config/signing-key.ts';
import { memoryMb } from '../proc.ts';
import { SETTINGS } from '../settings.ts';
import { documentOf } from './documents.ts';

export interface AgentsRequest {
  /** The folder with a spool and a key of each PoP. */
  folder: string;
  pops: readonly string[];
  url: string;
}

/** All spools are open, after so long. */
export interface AgentsReady {
  openMs: number;
}

export interface AgentsReport {
  /** From the first try until nothing waits any more. */
  drainMs: number;
  /** Of documents that the first PoP sealed meanwhile: from the moment each was on its disk until it was delivered. */
  freshMs: number[];
  quarantined: number;
  /** Highest RSS of this process. */
  peakMb: number;
}

const log = pino({ level: 'silent' });
const POLL_MS = 5;

interface Agent {
  spool: Spool;
  pusher: Pusher;
}

async function open({ folder, pops, url }: AgentsRequest): Promise<Agent[]> {
  const agents: Agent[] = [];
  for (const pop of pops) {
    const directory = join(folder, 'spool', pop);
    const spool = await openSpool({ directory, ...SETTINGS.delivery.spool }, log);
    const options = { urls: [url] as const, tls: { ca: null, client: null }, proxy: null, spool, log };
    agents.push({ spool, pusher: new Pusher({ ...options, random: Math.random, nowMs: Date.now }) });
  }
  return agents;
}

async function drain(agents: readonly Agent[], { folder, pops }: AgentsRequest): Promise<AgentsReport> {
  const [first] = agents;
  const [pop] = pops;
  if (first === undefined || pop === undefined) throw new Error('no agents');
  const key = await readSigningKey(join(folder, `${pop}.key`));
  const startMs = performance.now();
  for (const { pusher } of agents) pusher.start();
  const freshMs: number[] = [];
  while (agents.some(({ spool }) => spool.waiting.count > 0)) {
    freshMs.push(await sealAndAwait(first.spool, pop, key));
    await sleep(SETTINGS.delivery.freshEveryMs);
  }
  const drainMs = performance.now() - startMs;
  for (const { pusher } of agents) await pusher.stop();
  const quarantined = agents.reduce((sum, { pusher }) => sum + pusher.status().quarantined, 0);
  return { drainMs, freshMs, quarantined, peakMb: memoryMb(process.pid).peak };
}

/** Appends one document and waits until it has left the spool. */
async function sealAndAwait(spool: Spool, pop: string, key: SigningKey): Promise<number> {
  const { sequence, digest } = spool.head ?? { sequence: 0, digest: null };
  const next = sequence + 1;
  const octets = documentOf(pop, next, digest);
  await spool.append({ sequence: next, octets, signature: signDetached(octets, key, 'summary') });
  const fromMs = performance.now();
  while (spool.after(sequence) !== null) await sleep(POLL_MS);
  return performance.now() - fromMs;
}

async function run(request: AgentsRequest): Promise<void> {
  const startMs = performance.now();
  const agents = await open(request);
  process.send?.({ openMs: performance.now() - startMs } satisfies AgentsReady);
  // Whoever measures our memory says when to go on.
  process.once('message', () => {
    drain(agents, request).then((report) => process.send?.(report, () => process.disconnect()), fail);
  });
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

process.once('message', (request) => {
  run(request as AgentsRequest).catch(fail);
});
