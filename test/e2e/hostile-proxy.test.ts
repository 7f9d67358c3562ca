/** Between real agents and a real collector stands a proxy that misbehaves: at the end every document is stored, and once. */

import { mkdir } from 'node:fs/promises';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeKeyPair } from '../../src/config/key-pair.ts';
import { HostileProxy, type Misdeed, MISDEEDS } from '../agent/hostile-proxy.ts';
import { quarantined } from '../agent/spool-fixture.ts';
import { rootMissing } from '../linux/privileges.ts';
import { breakIn, headOf, spooledNumbers, storedChain } from './chain-on-disk.ts';
import { dayWithoutCollector, type Place, WINDOWS_OF_A_DAY } from './emulated-day.ts';
import { MeshRig, type Program } from './mesh-rig.ts';

const SEED = Number(process.env['PROXY_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const POPS = ['hkg1', 'lax1', 'sin1'];
/** Of each misdeed. Two in three hold up the agent that they meet, for half a second or longer. */
const TIMES = 8;
/** Requests between them that are left alone: as many as there are others make waits of minutes. */
const PEACEFUL = 320;
/** Longer than an agent's backlog takes for a good answer. */
const DELAY_MS = 1500;
const REFUSED_BY_THE_PROXY = /^HTTP 413: <html>it is me, your load balancer<\/html>$/m;
const WAIT = { timeout: 120_000, interval: 250 };

type Verdict = { verdict: string; notes: { code: string }[] };

/** All misdeeds, in an order that is always the same for a seed. */
function script(): Misdeed[] {
  const all = MISDEEDS.flatMap((misdeed) =>
    Array.from({ length: misdeed === 'none' ? PEACEFUL : TIMES }, () => misdeed),
  );
  const [shuffled = []] = fc.sample(fc.shuffledSubarray(all, { minLength: all.length }), { seed: SEED, numRuns: 1 });
  return shuffled;
}

/** Keys and configurations of the collector and of agents that know it by another URL. */
async function configure(rig: MeshRig, url: string): Promise<Place[]> {
  await mkdir(rig.path('keys'));
  await mkdir(rig.path('spool'));
  await rig.write('mesh.yaml', rig.meshYaml(POPS));
  await rig.write('collector.yaml', rig.collectorYaml(POPS));
  const places: Place[] = [];
  for (const pop of POPS) {
    const { keyFile } = await writeKeyPair(rig.path('keys'), pop);
    await rig.write(`${pop}.yaml`, rig.agentYaml(pop).replace(rig.url, url));
    places.push({ pop, spoolFolder: rig.path(`spool/${pop}`), keyFile });
  }
  return places;
}

/** Waits until no more than what is sealed now waits anywhere. */
async function untilCaughtUp(places: readonly Place[]): Promise<void> {
  const most = async (): Promise<number> =>
    Math.max(...(await Promise.all(places.map(async (place) => (await spooledNumbers(place.spoolFolder)).length))));
  await expect.poll(most, WAIT).toBeLessThanOrEqual(2);
}

describe.skipIf(rootMissing())(
  `a proxy that drops, delays, truncates, duplicates and refuses (${rootMissing() ?? 'as root'})`,
  () => {
    it(`costs no document: each is stored once, octet for octet, and no chain has a gap (PROXY_SEED=${SEED})`, async () => {
      const misdeeds = script();
      const rig = await MeshRig.create([], 59);
      onTestFinished(() => rig.close());
      const proxy = new HostileProxy(rig.url, misdeeds, DELAY_MS);
      const places = await configure(rig, await proxy.listen());
      const digests = await dayWithoutCollector(places, rig.url);
      const collector = await rig.startCollector();
      const agents = new Map<string, Program>(
        await Promise.all(POPS.map(async (pop) => [pop, await rig.startAgent(pop)] as const)),
      );
      const done = (): number => [...proxy.done.values()].reduce((sum, times) => sum + times, 0);
      await expect.poll(done, WAIT).toBeGreaterThanOrEqual(misdeeds.length);
      await untilCaughtUp(places);

      // A person looks at what was refused, finds that it was not the collector, and has it sent again.
      let refused = 0;
      for (const { pop, spoolFolder } of places) {
        const aside = Object.values(await quarantined(spoolFolder));
        for (const reason of aside) expect(reason).toMatch(REFUSED_BY_THE_PROXY);
        const said = await rig.run(['spool', 'retry', '--all', '--config', rig.path(`${pop}.yaml`)]);
        expect(said).toBe(`waiting to be sent: ${aside.length} of ${aside.length}\n`);
        refused += aside.length;
      }
      expect(refused).toBe(TIMES);
      const misdone = new Map([...proxy.done].filter(([misdeed]) => misdeed !== 'none'));
      expect(misdone).toEqual(new Map(MISDEEDS.slice(1).map((misdeed) => [misdeed, TIMES])));
      await untilCaughtUp(places);
      await Promise.all([...agents.values()].map((agent) => agent.end('SIGTERM')));
      // What was sealed last may have found no time to go.
      for (const pop of POPS) await rig.run(['spool', 'push', '--config', rig.path(`${pop}.yaml`)]);

      let stored = 0;
      let declared = 0;
      for (const { pop, spoolFolder } of places) {
        const chain = storedChain(rig.path('collector.db'), pop);
        const { sequence, digest } = await headOf(spoolFolder);
        expect({
          pop,
          // Each names the digest that its agent took of the one before, and the spool's head that of the last.
          broken: breakIn(chain),
          ends: [chain[0]?.sequence, chain.at(-1)?.sequence, chain.at(-1)?.digest],
          day: chain.slice(0, WINDOWS_OF_A_DAY).map((link) => link.digest),
          since: chain.slice(WINDOWS_OF_A_DAY).map((link) => link.sequence),
          waiting: await spooledNumbers(spoolFolder),
          aside: await quarantined(spoolFolder),
        }).toEqual({
          pop,
          broken: null,
          ends: [1, sequence, digest],
          day: digests.get(pop),
          since: agents.get(pop)?.sealed(),
          waiting: [],
          aside: {},
        });
        const args = ['--from', rig.url, '--pop', pop, '--key', rig.path(`keys/${pop}.pub.json`)];
        const verdict = JSON.parse(await rig.run(['verify', '--json', ...args])) as Verdict;
        expect({ pop, verdict: verdict.verdict }).toEqual({ pop, verdict: 'valid' });
        expect(verdict.notes.filter(({ code }) => code.includes('given_up'))).toEqual([]);
        declared += (await rig.events(pop)).filter(({ event }) => event.kind === 'gap').length;
        stored += chain.length;
      }
      // The agents had declared what was refused, and yet it is there.
      expect(declared).toBeGreaterThan(0);
      expect(await collector.end('SIGTERM')).toBe(0);
      const answered = (status: string) => collector.lines.filter(({ msg }) => msg === `document ${status}`);
      expect(new Set(answered('accepted').map(({ pop, sequence }) => `${String(pop)} ${String(sequence)}`)).size).toBe(
        stored,
      );
      expect(answered('accepted')).toHaveLength(stored);
      expect(answered('duplicate').length).toBeGreaterThanOrEqual(TIMES);
    }, 300_000);
  },
);
