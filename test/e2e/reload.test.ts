/** An agent is told to read its configuration again: the real programs, whose evidence says what became of every probe. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../src/agent/status.ts';
import type { Summary, SummaryPath } from '../../src/protocol/summary.ts';
import { receiverAt } from '../linux/notify-receiver.ts';
import { rootMissing } from '../linux/privileges.ts';
import { MeshRig, type Program } from './mesh-rig.ts';
import { spooledSummaries } from './spooled-summaries.ts';

const WINDOW_MS = 5000;
const MANAGER = `@popprobe-e2e-reload-${process.pid}`;

describe.skipIf(rootMissing())(`a reload (${rootMissing() ?? 'as root'})`, () => {
  const pops = ['hkg1', 'sin1', 'lax1'];
  let rig: MeshRig;
  let agents: Program[];

  beforeAll(async () => {
    rig = await MeshRig.create(pops, 27);
    // No collector: every document stays in the spool, where this test reads it.
    const managed = ['env', `NOTIFY_SOCKET=${MANAGER}`];
    agents = await Promise.all(pops.map((pop) => rig.startAgent(pop, pop === 'hkg1' ? managed : [])));
  });
  afterAll(() => rig.close());

  function summaries(pop: string): Summary[] {
    const found = spooledSummaries(rig.path(`spool/${pop}`));
    return found.toSorted((a, b) => a.window.start_unix_s - b.window.start_unix_s);
  }

  async function status(pop: string): Promise<AgentStatus> {
    return JSON.parse(await rig.run(['status', '--json', '--socket', rig.path(`${pop}.sock`)])) as AgentStatus;
  }

  function hangUp(): number[] {
    const from = agents.map(({ lines }) => lines.length);
    for (const { process: child } of agents) child.kill('SIGHUP');
    return from;
  }

  async function allLogged(message: string, from: readonly number[]): Promise<Record<string, unknown>[]> {
    return Promise.all(agents.map((agent, at) => agent.logged(message, from[at])));
  }

  /** Every agent has logged a refusal with such a reason. */
  async function refusal(reason: RegExp): Promise<void> {
    const isIt = ({ msg, reason: found }: Record<string, unknown>): boolean =>
      msg === 'configuration refused, the running one stays' && reason.test(String(found));
    for (const { lines } of agents) {
      await expect.poll(() => lines.some(isIt), { timeout: 15_000 }).toBe(true);
    }
  }

  it('of a bad configuration says why and goes on with the running one', async () => {
    const receive = receiverAt(MANAGER);
    const heard: string[] = [];
    /** What systemd was told of reloads, without the conditions in between. */
    const reloads = (): string[] => {
      for (let next = receive(); next !== null; next = receive()) heard.push(next);
      const states = heard.filter((message) => message.startsWith('RE'));
      return states.slice(states.findIndex((message) => message.startsWith('RELOADING')));
    };
    const good = (await rig.read('mesh.yaml')).toString();
    await rig.write('mesh.yaml', good.replace('interval_ms: 100', 'intervall_ms: 100'));
    hangUp();
    await refusal(/mesh\.yaml:\d+:\d+: .*interval_ms.*\[config_(unknown|missing)_key\]/);
    await rig.write('mesh.yaml', good.replace('window_s: 5', 'window_s: 10'));
    hangUp();
    await refusal(/window_s of the mesh.*restart/);
    await rig.write('mesh.yaml', good);
    // systemd hears that each reload is over, and that nothing came of it.
    const answered = [
      expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+\n/),
      expect.stringMatching(/^READY=1\nSTATUS=.*the new configuration was refused/),
    ];
    await expect.poll(reloads).toEqual([...answered, ...answered]);
    const { config } = await status('hkg1');
    expect(config).toMatchObject({ staged: null, taken: 0, refused: 2 });
    expect(config.lastRefusal).toMatch(/window_s of the mesh/);
  });

  it('goes on with what stays, ends what goes, begins what comes, and loses nothing in any window', async () => {
    const good = (await rig.read('mesh.yaml')).toString();
    const changed = good
      .replace(
        '{ name: icmp, kind: icmp, interval_ms: 200 }',
        '{ name: icmp, kind: icmp, interval_ms: 200, size_bytes: 200 }',
      )
      .replace(
        'flows: 2 }',
        'flows: 2 }\n  - { name: voice, kind: stamp, interval_ms: 100, flows: 1, dscp: 46, source_port: 19100 }',
      );
    await Promise.all(agents.map((agent) => agent.logged('window sealed')));
    // A window has just ended: all agents are told within the next one, as the handbook has it.
    await agents[0]?.logged('window sealed', agents[0].lines.length);
    await rig.write('mesh.yaml', changed);
    const before = (await status('hkg1')).config.digest;
    const from = hangUp();
    await allLogged('configuration accepted, staged', from);
    expect((await status('sin1')).config.staged).not.toBeNull();
    const [taken] = await allLogged('configuration taken', from);
    const sealedAfter = agents.map(({ lines }) => lines.length);
    await allLogged('window sealed', sealedAfter);
    await allLogged(
      'window sealed',
      agents.map(({ lines }) => lines.length),
    );
    const all = summaries('hkg1');
    const digests = all.map(({ config_digest: digest }) => digest);
    expect(digests[0]).toBe(before);
    expect(digests.at(-1)).toBe(taken?.['digest']);
    expect(new Set(digests).size).toBe(2);
    // The first window of each agent is shorter than the others' and may find a peer that has not started.
    const paths = all
      .slice(1)
      .flatMap(({ config_digest: digest, peers }) =>
        peers.flatMap((peer) => peer.paths.map((path) => ({ digest, path }))),
      );
    for (const { path } of paths) {
      const { due, received, missed } = path.counts;
      expect({ class: path.class, counts: path.counts, sum: received + missed }).toMatchObject({
        counts: { lost: 0, refused: 0, void: 0, duplicate: 0 },
        sum: due,
      });
    }
    const later = paths.filter(({ digest }) => digest !== before).map(({ path }) => path);
    const sooner = paths.filter(({ digest }) => digest === before).map(({ path }) => path);
    expect(sizesOf(sooner, 'icmp')).toEqual(new Set([64]));
    expect(sizesOf(later, 'icmp')).toEqual(new Set([200]));
    expect(sizesOf(sooner, 'voice')).toEqual(new Set());
    expect(sizesOf(later, 'voice')).toEqual(new Set([44]));
    // A class that stays is probed on without a gap: every one of its windows is full.
    for (const path of [...sooner, ...later].filter((one) => one.class === 'stamp')) {
      expect(path.counts.due).toBeGreaterThanOrEqual(WINDOW_MS / 100 - 1);
    }
  }, 60_000);

  it('keeps count at the reflector: forward and reverse loss stay 0, and no restart of it is seen', async () => {
    const all = summaries('lax1');
    for (const { peers, instrument } of all.slice(1)) {
      for (const path of peers.flatMap((peer) => peer.paths).filter((one) => one.class === 'stamp')) {
        expect(path.loss_direction).toMatchObject({ forward: 0, reverse: 0, restarts: 0 });
      }
      expect(instrument.replies_refused).toEqual({});
    }
  });

  it('whose sockets are not to be had is refused when it is due, and what was to end goes on', async () => {
    const occupant = createSocket('udp4').bind(19_200, '127.0.27.1');
    await once(occupant, 'listening');
    const good = (await rig.read('mesh.yaml')).toString();
    await rig.write('mesh.yaml', good.replace('flows: 2 }', 'flows: 2, source_port: 19200 }'));
    const [hkg1] = agents;
    if (!hkg1) throw new Error('an agent expected');
    const from = hkg1.lines.length;
    const before = (await status('hkg1')).config;
    hkg1.process.kill('SIGHUP');
    await hkg1.logged('configuration accepted, staged', from);
    const refused = await hkg1.logged('configuration refused, the running one stays', from);
    expect(refused['reason']).toMatch(/bind.*19200|19200.*in use|address already in use/i);
    expect((await status('hkg1')).config).toMatchObject({ digest: before.digest, staged: null, taken: before.taken });
    occupant.close();
    await rig.write('mesh.yaml', good);
    // The window in which it was refused, and a whole one.
    for (let window = 0; window < 2; window += 1) await hkg1.logged('window sealed', hkg1.lines.length);
    const last = summaries('hkg1').at(-1);
    const stamp = last?.peers.flatMap((peer) => peer.paths).filter((path) => path.class === 'stamp') ?? [];
    expect(stamp.length).toBe(4);
    for (const { counts } of stamp) {
      expect(counts.due).toBeGreaterThanOrEqual(WINDOW_MS / 100 - 1);
      expect(counts).toMatchObject({ lost: 0, received: counts.due - counts.missed });
    }
  }, 60_000);
});

function sizesOf(paths: readonly SummaryPath[], name: string): Set<number> {
  return new Set(paths.filter((path) => path.class === name).map((path) => path.size_bytes));
}

/** A spooled document: the signature's line, then the octets, gzipped or not. */
