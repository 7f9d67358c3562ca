/** The collector is away for a day, and fifty agents seal all the while: when it is back, it gets everything, and once. */

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeKeyPair } from '../../src/config/key-pair.ts';
import { rootMissing } from '../linux/privileges.ts';
import { breakIn, headOf, type Link, spooledChain, storedChain } from './chain-on-disk.ts';
import { dayWithoutCollector, type Place, WINDOWS_OF_A_DAY } from './emulated-day.ts';
import { MeshRig, type Program } from './mesh-rig.ts';

const AGENTS = 50;
/** A start takes a core for most of a second: more at a time would only wait for each other. */
const STARTS_AT_ONCE = 2;
const LOOK_EVERY_MS = 250;

/** Two PoPs that measure one another, as cheaply as can be without being idle. */
function pairYaml(names: readonly string[], first: number): string {
  const pops = names.map((name, index) => `  - { name: ${name}, id: ${index + 1}, ipv4: 127.0.58.${first + index} }`);
  return `schema: popprobe.mesh/1
name: pair
window_s: 10
tmax_ms: 500
stamp_port: 8620
pops:
${pops.join('\n')}
probes:
  - { name: icmp, kind: icmp, interval_ms: 1000 }
  - { name: stamp, kind: stamp, interval_ms: 1000, flows: 1 }
`;
}

/** Configurations and keys of all PoPs, their spools below /dev/shm where there is one: what is proved here needs no fsync. */
async function buildRig(): Promise<{ rig: MeshRig; places: Place[] }> {
  const shared = '/dev/shm';
  const spools = await mkdtemp(join(existsSync(shared) ? shared : tmpdir(), 'popprobe-day-'));
  onTestFinished(() => rm(spools, { recursive: true, force: true }));
  const rig = await MeshRig.create([], 58);
  onTestFinished(() => rig.close());
  await mkdir(rig.path('keys'));
  const names = Array.from({ length: AGENTS }, (_, index) => `pop${index + 1}`);
  await rig.write('collector.yaml', rig.collectorYaml(names));
  const places: Place[] = [];
  for (const [index, pop] of names.entries()) {
    const mesh = `mesh${index >> 1}.yaml`;
    if (index % 2 === 0) await rig.write(mesh, pairYaml(names.slice(index, index + 2), index + 1));
    const { keyFile } = await writeKeyPair(rig.path('keys'), pop);
    const spoolFolder = join(spools, pop);
    const config = rig.agentYaml(pop).replace('mesh.yaml', mesh).replace(`spool/${pop}`, spoolFolder);
    await rig.write(`${pop}.yaml`, config);
    places.push({ pop, spoolFolder, keyFile });
  }
  return { rig, places };
}

async function startAll(rig: MeshRig, places: readonly Place[]): Promise<Map<string, Program>> {
  const agents = new Map<string, Program>();
  const waiting = [...places];
  const startNext = async (): Promise<void> => {
    for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
      agents.set(place.pop, await rig.startAgent(place.pop));
    }
  };
  await Promise.all(Array.from({ length: STARTS_AT_ONCE }, startNext));
  return agents;
}

/** Waits until every document up to these numbers, by PoP, is stored. */
async function untilStored(file: string, upTo: ReadonlyMap<string, number>): Promise<void> {
  const database = new Database(file, { readonly: true });
  const count = database.prepare<[string, number], { documents: number }>(
    'SELECT count(*) AS documents FROM document WHERE pop = ? AND sequence <= ?',
  );
  try {
    const isMissing = ([pop, last]: [string, number]): boolean => count.get(pop, last)?.documents !== last;
    for (let missing = [...upTo]; missing.length > 0; missing = missing.filter(isMissing)) await sleep(LOOK_EVERY_MS);
  } finally {
    database.close();
  }
}

/** Both in one order; what is in both places is there once, when it is the same. */
function joined(stored: readonly Link[], spooled: readonly Link[]): Link[] {
  const bySequence = new Map(stored.map((link) => [link.sequence, link]));
  for (const link of spooled) {
    expect(bySequence.get(link.sequence) ?? link).toEqual(link);
    bySequence.set(link.sequence, link);
  }
  return [...bySequence.values()].toSorted((a, b) => a.sequence - b.sequence);
}

describe.skipIf(rootMissing())(`a collector that is away for a day (${rootMissing() ?? 'as root'})`, () => {
  it(`gets all that ${AGENTS} agents have sealed meanwhile and since, none twice, and each chain whole`, async () => {
    const { rig, places } = await buildRig();
    const digests = await dayWithoutCollector(places, rig.url);
    expect(places.map(({ pop }) => digests.get(pop)?.length)).toEqual(places.map(() => WINDOWS_OF_A_DAY));

    // The agents take over what waits, and seal on, while nobody answers yet.
    const agents = await startAll(rig, places);
    await Promise.all([...agents.values()].map((agent) => agent.logged('window sealed')));
    const sealedAway = new Map<string, number>();
    for (const { pop, spoolFolder } of places) {
      const waiting = await spooledChain(spoolFolder);
      expect({ pop, broken: breakIn(waiting) }).toEqual({ pop, broken: null });
      expect(waiting.slice(0, WINDOWS_OF_A_DAY).map(({ digest }) => digest)).toEqual(digests.get(pop));
      expect(waiting.length).toBeGreaterThan(WINDOWS_OF_A_DAY);
      sealedAway.set(pop, waiting.length);
    }

    const collector = await rig.startCollector();
    await untilStored(rig.path('collector.db'), sealedAway);
    await Promise.all([...agents.values()].map((agent) => agent.end('SIGTERM')));

    let stored = 0;
    for (const { pop, spoolFolder } of places) {
      const inStore = storedChain(rig.path('collector.db'), pop);
      const chain = joined(inStore, await spooledChain(spoolFolder));
      const { sequence, digest } = await headOf(spoolFolder);
      const agent = agents.get(pop);
      expect({
        pop,
        broken: breakIn(chain),
        day: chain.slice(0, WINDOWS_OF_A_DAY).map((link) => link.digest),
        since: chain.slice(WINDOWS_OF_A_DAY).map((link) => link.sequence),
        ends: [chain[0]?.sequence, chain.at(-1)?.sequence, chain.at(-1)?.digest],
        quarantined: await readdir(join(spoolFolder, 'quarantine')),
      }).toEqual({
        pop,
        broken: null,
        day: digests.get(pop),
        since: agent?.sealed(),
        ends: [1, sequence, digest],
        quarantined: [],
      });
      stored += inStore.length;
    }
    // The verifier sees the same: here of one, as it takes a second.
    await rig.run(['verify', '--from', rig.url, '--pop', 'pop1', '--key', rig.path('keys/pop1.pub.json')]);
    expect(await collector.end('SIGTERM')).toBe(0);
    // Each was accepted once: what was sent again was recognised.
    const accepted = collector.lines.filter(({ msg }) => msg === 'document accepted');
    expect(new Set(accepted.map(({ pop, sequence }) => `${String(pop)} ${String(sequence)}`)).size).toBe(stored);
    expect(accepted).toHaveLength(stored);
    expect(collector.lines.filter(({ msg }) => msg === 'document refused')).toEqual([]);
  }, 240_000);
});
