/** Agents and their collector are killed again and again, at random moments: what was sealed is stored, once, in one chain. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildPath, buildPeer, buildSummary } from '../protocol/summary-fixture.ts';
import { breakIn, storedChain } from './chain-on-disk.ts';
import { MeshRig } from './mesh-rig.ts';

const LEAN_AGENT = fileURLToPath(new URL('./seal-and-push.js', import.meta.url));

const SEED = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** The built programs: agents that measure one another, with windows of five seconds, and their collector. */
const FULL = ['full1', 'full2', 'full3', 'full4', 'full5'];
const FULL_KILLS = 28;
const COLLECTOR_KILLS = 60;
/** The load: Sealer, Spool and Pusher alone, at the highest rate, and killed too. */
const LEAN = ['lean1', 'lean2'];
const LEAN_KILLS = 20;
/** A life ends after so many documents at most, sealed or stored, or after this time: what a fast and a busy machine share. */
const LIFE_DOCUMENTS = 60;
const LIFE_MS = 2500;
/** Every third life ends some time after its start instead, maybe before anything was read or opened. */
const EARLY_LIFE_MS = 600;
/** Measuring agents seal a document every five seconds. */
const FULL_LIFE_MS = 7000;

interface Sealed {
  sequence: number;
  /** Null where the program does not say. */
  digest: string | null;
}

/** Random lengths of lives: always the same for a seed. */
function lives(count: number, maxMs: number, stream: number): number[] {
  return fc.sample(fc.integer({ min: 0, max: maxMs }), { numRuns: count, seed: SEED + stream });
}

/** Lets a process live until `count` tells of enough documents. */
async function live(life: number, count: () => number): Promise<void> {
  if (life % 3 === 0) return sleep((life * EARLY_LIFE_MS) / LIFE_DOCUMENTS);
  const deadline = performance.now() + LIFE_MS;
  while (count() < life && performance.now() < deadline) await sleep(2);
}

async function killLean(rig: MeshRig, pop: string, life: number): Promise<Sealed[]> {
  const { child, sealed } = startLean(rig, pop, 'run');
  const closed = once(child, 'close');
  await live(life, () => sealed.length);
  child.kill('SIGKILL');
  expect(await closed).toEqual([null, 'SIGKILL']);
  return sealed;
}

function startLean(rig: MeshRig, pop: string, mode: 'run' | 'drain') {
  const files = [rig.path(`keys/${pop}.key`), rig.path(`${pop}.json`)];
  const args = [LEAN_AGENT, rig.path(`spool/${pop}`), rig.url, mode, ...files];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const sealed: Sealed[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [sequence, digest = null] = line.split(' ');
    sealed.push({ sequence: Number(sequence), digest });
  });
  return { child, sealed };
}

async function killFull(rig: MeshRig, pop: string, lifeMs: number): Promise<Sealed[]> {
  const agent = await rig.startAgent(pop);
  await sleep(lifeMs);
  await agent.end('SIGKILL');
  return agent.lines.flatMap(({ msg, sequence }) =>
    msg === 'window sealed' ? [{ sequence: Number(sequence), digest: null }] : [],
  );
}

async function eachInTurn(all: readonly number[], task: (life: number) => Promise<void>): Promise<void> {
  for (const life of all) await task(life);
}

async function drain(rig: MeshRig, pop: string): Promise<void> {
  const { child } = startLean(rig, pop, 'drain');
  expect(await once(child, 'close')).toEqual([0, null]);
}

async function buildRig(): Promise<MeshRig> {
  const rig = await MeshRig.create([...FULL, 'peer'], 57);
  onTestFinished(() => rig.close());
  // Nobody answers as the peer: a window is sealed when its last probe is lost.
  await rig.write('mesh.yaml', rig.meshYaml([...FULL, 'peer']).replace('window_s', 'tmax_ms: 500\nwindow_s'));
  const paths = [buildPath({ flow: 0 }), buildPath({ class: 'echo', kind: 'icmp', size_bytes: 56 })];
  for (const pop of LEAN) {
    await rig.run(['keygen', pop, '--out', rig.path('keys')]);
    await rig.write(`${pop}.json`, JSON.stringify(buildSummary({ pop, peers: [buildPeer('peer', { paths })] })));
  }
  await rig.write('collector.yaml', rig.collectorYaml([...FULL, 'peer', ...LEAN]));
  return rig;
}

/** Kills the collector so many times, and leaves it running. */
async function killCollector(rig: MeshRig): Promise<void> {
  for (const life of lives(COLLECTOR_KILLS, LIFE_DOCUMENTS, 1)) {
    const collector = await rig.startCollector();
    await live(life, () => collector.lines.filter(({ msg }) => msg === 'document accepted').length);
    await collector.end('SIGKILL');
  }
  await rig.startCollector();
}

describe('kill -9 of agents and collector, two hundred times', () => {
  it(`loses nothing, stores nothing twice, and leaves every chain whole (KILL_SEED=${SEED})`, async () => {
    const rig = await buildRig();
    const isOver = { collector: false };
    const sealed = new Map<string, Sealed[]>([...FULL, ...LEAN].map((pop) => [pop, []]));
    const kill = async (pop: string, life: number): Promise<void> => {
      sealed.get(pop)?.push(...(await (FULL.includes(pop) ? killFull(rig, pop, life) : killLean(rig, pop, life))));
    };
    await Promise.all([
      killCollector(rig).finally(() => (isOver.collector = true)),
      ...FULL.map((pop, index) => eachInTurn(lives(FULL_KILLS, FULL_LIFE_MS, 100 + index), (life) => kill(pop, life))),
      ...LEAN.map(async (pop, index) => {
        const all = lives(50 * LEAN_KILLS, LIFE_DOCUMENTS, 3 + index);
        await eachInTurn(all.slice(0, LEAN_KILLS), (life) => kill(pop, life));
        // The collector is to have something to do in all of its lives.
        await eachInTurn(all.slice(LEAN_KILLS), async (life) => (isOver.collector ? undefined : await kill(pop, life)));
      }),
    ]);
    // Much was delivered in short lives of both ends, and not in the peace afterwards.
    const early = LEAN.map((pop) => storedChain(rig.path('collector.db'), pop).length);
    expect(early.filter((count) => count <= COLLECTOR_KILLS)).toEqual([]);
    for (const pop of [...FULL, ...LEAN]) {
      await drain(rig, pop);
      const reported = sealed.get(pop) ?? [];
      const chain = storedChain(rig.path('collector.db'), pop);
      const stored = new Map(chain.map(({ sequence, digest }) => [sequence, digest]));
      const isStored = ({ sequence, digest }: Sealed): boolean =>
        digest === null ? stored.has(sequence) : stored.get(sequence) === digest;
      expect({
        pop,
        broken: breakIn(chain),
        lost: reported.filter((document) => !isStored(document)),
        quarantined: await readdir(rig.path(`spool/${pop}/quarantine`)),
        enough: reported.length > (FULL.includes(pop) ? 0 : LEAN_KILLS),
      }).toEqual({ pop, broken: null, lost: [], quarantined: [], enough: true });
    }
    for (const pop of [...FULL, ...LEAN]) {
      const key = ['--key', rig.path(`keys/${pop}.pub.json`)];
      await rig.run(['verify', '--from', rig.url, '--pop', pop, ...key]);
    }
  }, 400_000);
});
