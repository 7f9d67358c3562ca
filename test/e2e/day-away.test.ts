/** The collector is away for a day, and fifty agents seal all the while: when it is back, it gets everything, and once. */

import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Pusher } from '../../src/agent/push.ts';
import { Sealer } from '../../src/agent/seal.ts';
import type { Spool } from '../../src/agent/spool.ts';
import { writeKeyPair } from '../../src/config/key-pair.ts';
import { readSigningKey } from '../../src/config/signing-key.ts';
import { digestOf } from '../../src/protocol/digest.ts';
import { to } from '../agent/push-rig.ts';
import { open, silentLog } from '../agent/spool-fixture.ts';
import { bodyOf } from '../agent/summary-body.ts';
import { buildSummary, WINDOW_START_S } from '../protocol/summary-fixture.ts';
import { MeshRig } from './mesh-rig.ts';

const AGENTS = 50;
const WINDOW_S = 300;
const WINDOWS = (24 * 3600) / WINDOW_S;
const SPOOL_BYTES = 64 * 1024 * 1024;
/** When the collector is back, waits take a twentieth of their time. */
const STEP_MS = 10;
const EMULATED_STEP_MS = 200;

/** A clock that goes on when the test says so, with the waits of all agents. */
class EmulatedTime {
  #nowMs = 0;
  #waits: { untilMs: number; end: () => void }[] = [];

  now = (): number => this.#nowMs;

  wait = async (ms: number, signal: AbortSignal): Promise<void> => {
    const stopped = new AbortController();
    const isOver = new Promise<void>((end) => this.#waits.push({ untilMs: this.#nowMs + ms, end }));
    const isStopped = once(signal, 'abort', { signal: stopped.signal });
    isStopped.catch(() => undefined);
    await Promise.race([isOver, isStopped]);
    stopped.abort();
  };

  advance(ms: number): void {
    this.#nowMs += ms;
    const isOver = ({ untilMs }: { untilMs: number }): boolean => untilMs <= this.#nowMs;
    const over = this.#waits.filter(isOver);
    this.#waits = this.#waits.filter((wait) => !isOver(wait));
    for (const { end } of over) end();
  }
}

interface EmulatedAgent {
  pop: string;
  spool: Spool;
  sealer: Sealer;
  pusher: Pusher;
  /** Of the documents sealed, in their order. */
  digests: string[];
}

async function buildAgent(rig: MeshRig, folder: string, pop: string, time: EmulatedTime): Promise<EmulatedAgent> {
  const { keyFile } = await writeKeyPair(rig.path('keys'), pop);
  const spool = await open(join(folder, pop), SPOOL_BYTES);
  const clocks = { nowMs: () => WINDOW_START_S * 1000 + time.now(), monotonicMs: time.now, wait: time.wait };
  const pusher = new Pusher({ ...to(rig.url), spool, log: silentLog, random: Math.random, ...clocks });
  onTestFinished(() => pusher.stop());
  const { boot_id, software } = buildSummary();
  const sealer = new Sealer(spool, await readSigningKey(keyFile), () => 1, { pop, boot_id, software });
  return { pop, spool, sealer, pusher, digests: [] };
}

async function seal({ pop, sealer, digests }: EmulatedAgent, index: number): Promise<void> {
  const start_unix_s = WINDOW_START_S + index * WINDOW_S;
  const window = { start: new Date(start_unix_s * 1000).toISOString(), start_unix_s, length_s: WINDOW_S };
  const { octets } = await sealer.seal(bodyOf(buildSummary({ pop, peers: [], window })));
  digests.push(digestOf(octets));
}

/** A window of all agents: sealed, and tried once more in vain. */
async function windowWithoutCollector(agents: readonly EmulatedAgent[], index: number, time: EmulatedTime) {
  const before = agents.map(({ pusher }) => pusher.status().failuresInARow);
  await Promise.all(agents.map((agent) => seal(agent, index)));
  time.advance(WINDOW_S * 1000);
  const isTried = ({ pusher }: EmulatedAgent, at: number): boolean =>
    pusher.status().failuresInARow > (before[at] ?? 0);
  while (!agents.every(isTried)) await sleep(1);
}

/** Below /dev/shm where there is one: what is proved here needs no fsync. */
async function spoolsFolder(): Promise<string> {
  const shared = '/dev/shm';
  const folder = await mkdtemp(join(existsSync(shared) ? shared : tmpdir(), 'popprobe-day-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('a collector that is away for a day', () => {
  it(`gets all that ${AGENTS} agents have sealed meanwhile, none twice, and each chain whole`, async () => {
    const time = new EmulatedTime();
    const folder = await spoolsFolder();
    const rig = await MeshRig.create([], 58);
    onTestFinished(() => rig.close());
    await mkdir(rig.path('keys'));
    const names = Array.from({ length: AGENTS }, (_, index) => `pop${index + 1}`);
    const agents = await Promise.all(names.map((pop) => buildAgent(rig, folder, pop, time)));
    await rig.write('collector.yaml', rig.collectorYaml(names));
    for (const { pusher } of agents) pusher.start();
    for (let index = 0; index < WINDOWS; index += 1) await windowWithoutCollector(agents, index, time);
    expect(agents.map(({ spool }) => spool.status().documents)).toEqual(agents.map(() => WINDOWS));

    await rig.startCollector();
    while (agents.some(({ spool }) => spool.status().documents > 0)) {
      time.advance(EMULATED_STEP_MS);
      await sleep(STEP_MS);
    }

    const database = new Database(rig.path('collector.db'), { readonly: true });
    onTestFinished(() => void database.close());
    const stored = database.prepare<[string], { octets: Buffer }>(
      'SELECT octets FROM document WHERE pop = ? ORDER BY sequence',
    );
    for (const { pop, pusher, digests } of agents) {
      const chain = stored.all(pop);
      const digestsStored = chain.map(({ octets }) => digestOf(octets));
      expect({ pop, digests: digestsStored }).toEqual({ pop, digests });
      const links = chain.map(({ octets }): unknown => JSON.parse(octets.toString()).prev);
      expect({ pop, links }).toEqual({ pop, links: [null, ...digests.slice(0, -1)] });
      expect({ pop, ...pusher.status() }).toMatchObject({ pop, quarantined: 0, lastAcceptedSequence: WINDOWS });
    }
    const counts = database.prepare('SELECT sum(documents) AS documents FROM pop_state').get();
    expect(counts).toEqual({ documents: AGENTS * WINDOWS });
  }, 180_000);
});
