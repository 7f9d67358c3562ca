/** What happens between windows, from real agents to the collector: as it happens, in one chain with the windows, verifiable. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EventList } from '../../src/collector/event-list.ts';
import type { EventOf } from '../../src/protocol/record.ts';
import { rootMissing } from '../linux/privileges.ts';
import { MeshRig, type Program } from './mesh-rig.ts';

type Listed = EventList['events'][number];

function sealedWindows({ lines }: Program): number {
  return lines.filter(({ msg }) => msg === 'window sealed').length;
}

describe.skipIf(rootMissing())(`the events of a PoP (${rootMissing() ?? 'as root'})`, () => {
  const pops = ['hkg1', 'sin1'];
  let rig: MeshRig;
  let hkg1: Program;
  let sin1: Program;

  beforeAll(async () => {
    rig = await MeshRig.create(pops, 28);
    await rig.startCollector();
    // One after the other: hkg1 finds its peer up.
    sin1 = await rig.startAgent('sin1');
    hkg1 = await rig.startAgent('hkg1');
    await rig.meshAfter(2);
  });
  afterAll(() => rig.close());

  /** The first event of hkg1 that satisfies the condition, as soon as the collector has it. */
  function event(condition: (listed: Listed) => boolean): Promise<Listed> {
    return vi.waitFor(
      async () => {
        const found = (await rig.events('hkg1')).find(condition);
        if (!found) throw new Error('no such event at the collector');
        return found;
      },
      { timeout: 20_000, interval: 50 },
    );
  }

  function isPair(state: EventOf<'pair'>['state'], after = 0): (listed: Listed) => boolean {
    return ({ sequence, event: { kind, ...rest } }) =>
      kind === 'pair' && sequence > after && 'state' in rest && rest.state === state;
  }

  it('are there before the window in which they happened: a peer that dies, the route to it, and that it is back', async () => {
    await sin1.end('SIGKILL');
    await hkg1.logged('the pair has turned bad');
    const windows = sealedWindows(hkg1);
    const bad = await event(isPair('bad'));
    expect(bad.event).toEqual({ kind: 'pair', peer: 'sin1', state: 'bad', family: 'ipv4' });
    // One may have been under way.
    expect(sealedWindows(hkg1) - windows).toBeLessThan(2);
    const traced = await event(({ event: { kind } }) => kind === 'trace');
    expect(traced.event).toMatchObject({ trace: { peer: 'sin1', reason: 'pair_bad', outcome: 'reached' } });
    expect(traced.sequence).toBeGreaterThan(bad.sequence);
    sin1 = await rig.startAgent('sin1');
    const good = await event(isPair('good', bad.sequence));
    expect(Date.parse(good.at)).toBeGreaterThan(Date.parse(bad.at));
  });

  it('of a host that stood still say so', async () => {
    hkg1.process.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    hkg1.process.kill('SIGCONT');
    const sick = await event(({ event: { kind } }) => kind === 'instrument');
    expect(sick.event).toMatchObject({ state: 'sick', reasons: expect.arrayContaining(['stalls']) });
  });

  it('are counted in the status', async () => {
    const status = await rig.run(['status', '--config', rig.path('hkg1.yaml')]);
    expect(status).toMatch(/\nevents: [1-9]\d* sealed, 0 wait for the disk, 0 given up\n/);
  });

  it('are verified with the windows, as one chain without a fault', async () => {
    expect(await Promise.all([hkg1.end('SIGTERM'), sin1.end('SIGTERM')])).toEqual([0, 0]);
    const month = new Date().toISOString().slice(0, 7);
    for (const pop of pops) {
      const key = rig.path(`keys/${pop}.pub.json`);
      const verdict = await rig.run(['verify', '--from', rig.url, '--pop', pop, '--month', month, '--key', key]);
      expect(verdict).toMatch(/verdict: valid, \d+ documents/);
    }
  });
});
