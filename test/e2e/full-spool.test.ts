/** Real agents whose room ends: one has filled its disk of 2 MB, one its spool's bound. What is given up is declared, and no more is. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sealer } from '../../src/agent/seal.ts';
import type { SealedDocument } from '../../src/agent/spool-file.ts';
import type { AgentStatus } from '../../src/agent/status.ts';
import { LIMITS } from '../../src/base/limits.ts';
import type { EvidenceVerdict } from '../../src/cli/evidence-verdict.ts';
import { readSigningKey } from '../../src/config/signing-key.ts';
import { DOCUMENTS_ROUTE } from '../../src/protocol/document-kind.ts';
import { SIGNATURE_HEADER } from '../../src/protocol/jws.ts';
import { mountTmpfs } from '../agent/small-disk.ts';
import { open } from '../agent/spool-fixture.ts';
import { bodyOf } from '../agent/summary-body.ts';
import { smallSummary } from '../collector/stored-chain.ts';
import { rootMissing } from '../linux/privileges.ts';
import { refusalOf } from '../protocol/refusal.ts';
import { buildPeer } from '../protocol/summary-fixture.ts';
import { breakIn, spooledNumbers, storedChain } from './chain-on-disk.ts';
import { MeshRig, type Program } from './mesh-rig.ts';

/** The least that a configuration may say: one summary of the largest size. */
const BOUND_BYTES = LIMITS.summaryBytesMax;
/** Peers of a summary of 1.7 MB: a few of them fill the spool. */
const PEERS = 260;
const WAIT = { timeout: 45_000, interval: 250 };
/** An agent whose collector was away looks for it again this late at the latest, and then has all to deliver. */
const FOUND_AGAIN = { timeout: LIMITS.pushBackoffMsMax + WAIT.timeout, interval: 250 };

describe.skipIf(rootMissing())(`agents that have no room left (${rootMissing() ?? 'as root'})`, () => {
  let rig: MeshRig;
  let agents: { disk: Program; bound: Program };

  const configOf = (pop: string): string[] => ['--config', rig.path(`${pop}.yaml`)];
  const status = async (pop: string): Promise<AgentStatus> =>
    JSON.parse(await rig.run(['status', '--json', ...configOf(pop)])) as AgentStatus;

  /** What an agent has left behind: a spool to which more can be sealed, numbered from 1. */
  async function sealerIn(pop: string) {
    const spool = await open(rig.path(`spool/${pop}`), 64 * BOUND_BYTES);
    const { boot_id, software } = smallSummary(0);
    const key = await readSigningKey(rig.path(`keys/${pop}.key`));
    const sealer = new Sealer(spool, key, () => 1, { pop, boot_id, software });
    const seal = (index: number, peers = 0): Promise<SealedDocument> => {
      const all = Array.from({ length: peers }, (_, peer) => buildPeer(`p${peer}`));
      return sealer.seal(bodyOf(smallSummary(index, { pop, peers: all })));
    };
    return { spool, seal };
  }

  async function verdictOn(pop: string): Promise<EvidenceVerdict> {
    const args = ['--from', rig.url, '--pop', pop, '--key', rig.path(`keys/${pop}.pub.json`)];
    return JSON.parse(await rig.run(['verify', '--json', ...args])) as EvidenceVerdict;
  }

  beforeAll(async () => {
    rig = await MeshRig.create(['disk', 'bound'], 62);
    const spool = { before: 'directory: spool/bound', after: `directory: spool/bound, max_bytes: ${BOUND_BYTES}` };
    await rig.write('bound.yaml', rig.agentYaml('bound').replace(spool.before, spool.after));
  });
  afterAll(() => rig.close());

  it('lose no window on a full disk, and declare what goes beyond the bound', async () => {
    mountTmpfs(rig.path('spool/disk'), 'size=2m');
    const full = await sealerIn('disk');
    let filled = 0;
    const fillDisk = async (): Promise<void> => {
      for (;;) {
        await full.seal(filled);
        filled += 1;
      }
    };
    expect(await refusalOf(fillDisk)).toMatchObject({ code: 'spool_unusable', found: 'ENOSPC' });
    expect(filled).toBeGreaterThan(400);

    const large = await sealerIn('bound');
    // The collector has had the first one before it went away: only behind a document can others be missing.
    const first = await large.seal(0);
    await large.spool.delivered(first.sequence);
    let left = 1;
    for (; large.spool.status().bytes <= BOUND_BYTES + 2_000_000; left += 1) await large.seal(left, PEERS);

    agents = { disk: await rig.startAgent('disk'), bound: await rig.startAgent('bound') };
    await agents.disk.logged('the spool is degraded: its disk refuses');
    await agents.bound.logged('window sealed');
    await expect.poll(async () => (await status('disk')).sealing.summaries.waiting, WAIT).toBeGreaterThanOrEqual(2);
    expect(await spooledNumbers(rig.path('spool/disk'))).toHaveLength(filled);
    // The one with the bound has thrown away its oldest ones, and says so in its chain.
    await expect.poll(async () => (await status('bound')).spool.gapsPending, WAIT).toBe(0);
    const { spool: bounded } = await status('bound');
    expect(bounded.bytes).toBeLessThanOrEqual(BOUND_BYTES);
    expect(bounded).toMatchObject({ degraded: null, quarantined: 0 });
    expect(bounded.discarded).toBeGreaterThanOrEqual(2);
    expect(agents.bound.lines.filter(({ level }) => Number(level) === 50)).not.toEqual([]);

    await rig.startCollector();
    const headers = { [SIGNATURE_HEADER]: first.signature };
    const response = await fetch(`${rig.url}${DOCUMENTS_ROUTE}`, {
      method: 'POST',
      body: Buffer.from(first.octets),
      headers,
    });
    expect(response.status).toBe(200);
    const isWellAgain = (): boolean =>
      agents.disk.lines.some(({ msg }) => String(msg).startsWith('the spool is well again'));
    await expect.poll(isWellAgain, FOUND_AGAIN).toBe(true);
    for (const pop of ['disk', 'bound']) {
      await expect
        .poll(async () => (await spooledNumbers(rig.path(`spool/${pop}`))).length, FOUND_AGAIN)
        .toBeLessThanOrEqual(2);
    }
    const recovered = await status('disk');
    expect(recovered.spool).toMatchObject({ degraded: null, discarded: 0, lost: 0, gapsPending: 0 });
    expect(recovered.sealing.summaries).toEqual({ waiting: 0, discarded: 0 });
    for (const [pop, agent] of Object.entries(agents)) {
      expect(await agent.end('SIGTERM')).toBe(0);
      await rig.run(['spool', 'push', ...configOf(pop)]);
    }

    const chain = storedChain(rig.path('collector.db'), 'disk');
    expect(breakIn(chain)).toBeNull();
    expect(chain.map(({ sequence }) => sequence)).toEqual([
      ...Array.from({ length: filled }, (_, index) => index + 1),
      ...agents.disk.sealed(),
    ]);
    // No time of the run is left out either: the windows that waited in memory are there.
    const whole = await verdictOn('disk');
    expect(whole).toMatchObject({ verdict: 'valid', faults: [] });
    expect(whole.notes.map(({ code }) => code)).toEqual(['not_running']);

    const holed = await verdictOn('bound');
    expect(holed).toMatchObject({ verdict: 'valid', faults: [] });
    const given = holed.notes.filter(({ code }) => code === 'documents_given_up');
    expect(given).toMatchObject([{ first_sequence: 2, reason: 'spool_full' }]);
    const firstKept = (given[0]?.last_sequence ?? 0) + 1;
    expect(firstKept).toBe(bounded.discarded + 2);
    const kept = storedChain(rig.path('collector.db'), 'bound').map(({ sequence }) => sequence);
    expect(kept).toEqual([
      1,
      ...Array.from({ length: left - firstKept + 1 }, (_, index) => firstKept + index),
      ...agents.bound.sealed(),
    ]);
  }, 300_000);
});
