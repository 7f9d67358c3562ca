/** A real agent whose small disk fills up and is freed again: it measures on, its chain stays whole, and its spool can be cared for. */

import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../src/agent/status.ts';
import { fill, mountTmpfs } from '../agent/small-disk.ts';
import { receiverAt } from '../linux/notify-receiver.ts';
import { rootMissing } from '../linux/privileges.ts';
import { MeshRig } from './mesh-rig.ts';

interface Listed {
  documents: { sequence: number; kind: string; at: string }[];
}

/** Reads what has come, and returns the newest of all. */
function newestOf(receive: () => string | null): () => string | null {
  let newest: string | null = null;
  return () => {
    for (let next = receive(); next !== null; next = receive()) newest = next;
    return newest;
  };
}

describe.skipIf(rootMissing())(`an agent with a small disk (${rootMissing() ?? 'as root'})`, () => {
  let rig: MeshRig;

  afterAll(() => rig.close());

  const list = async (): Promise<Listed['documents']> =>
    (JSON.parse(await rig.run(['spool', 'list', '--json', '--config', rig.path('hkg1.yaml')])) as Listed).documents;
  const verdict = (): Promise<string> =>
    rig.run(['verify', rig.path(join('spool', 'hkg1')), '--key', rig.path(join('keys', 'hkg1.pub.json'))]);
  const status = async (): Promise<AgentStatus> =>
    JSON.parse(await rig.run(['status', '--json', '--config', rig.path('hkg1.yaml')])) as AgentStatus;

  const metric = async (name: string): Promise<string | undefined> => {
    const asked = request({ socketPath: rig.path('hkg1.sock'), path: '/metrics' }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    expect(response.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    return new RegExp(`^${name}\\{pop="hkg1"\\} (\\S+)$`, 'm').exec(await text(response))?.[1];
  };

  it('loses no window while the disk is full, says so, and drops what a person tells it to', {
    timeout: 90_000,
  }, async () => {
    rig = await MeshRig.create(['hkg1', 'sin1'], 41);
    const disk = mountTmpfs(rig.path('spool'), 'size=2m');
    // No collector: every document stays.
    const manager = `@popprobe-e2e-spool-${process.pid}`;
    const shown = newestOf(receiverAt(manager));
    const agent = await rig.startAgent('hkg1', ['env', `NOTIFY_SOCKET=${manager}`]);
    await expect.poll(() => shown()).toMatch(/^READY=1\nSTATUS=probing \d+ paths$/);
    await agent.logged('window sealed');
    expect(await metric('popprobe_spool_degraded')).toBe('0');
    const ballast = await fill(disk);
    await agent.logged('the spool is degraded: its disk refuses');
    expect((await status()).spool.degraded?.reason).toMatch(/ENOSPC/);
    expect(await rig.run(['status', '--config', rig.path('hkg1.yaml')])).toMatch(
      /^spool DEGRADED for \d+ s: .*ENOSPC/m,
    );
    await expect
      .poll(async () => (await status()).sealing.summaries.waiting, { timeout: 20_000 })
      .toBeGreaterThanOrEqual(2);
    expect(await metric('popprobe_spool_degraded')).toBe('1');
    expect(Number(await metric('popprobe_summaries_waiting'))).toBeGreaterThanOrEqual(2);
    await expect.poll(() => shown()).toMatch(/^STATUS=DEGRADED: the spool's disk refuses, \d+ documents wait/);
    await rm(ballast);
    await agent.logged('the spool is well again: its disk does what it is asked');
    await expect.poll(async () => (await status()).sealing.summaries.waiting).toBe(0);
    expect(await metric('popprobe_spool_degraded')).toBe('0');
    await expect.poll(() => shown()).toMatch(/^STATUS=cannot deliver now, \d+ documents wait; probing/);

    const documents = await list();
    // One in the middle of the chain: before the first one nothing is missed.
    const [, second] = documents;
    expect(documents.length).toBeGreaterThanOrEqual(3);
    expect(await verdict()).toMatch(/^verdict: valid/m);

    const number = String(second?.sequence);
    const dropped = await rig.run(['spool', 'drop', number, '--yes', '--config', rig.path('hkg1.yaml')]);
    expect(dropped).toBe('deleted: 1 of 1\n');
    expect((await list()).map(({ sequence }) => sequence)).not.toContain(second?.sequence);
    expect((await status()).spool).toMatchObject({ dropped: 1, degraded: null });

    // The next document of the chain is the record that says so.
    await expect.poll(async () => (await status()).spool.gapsPending, { timeout: 15_000 }).toBe(0);
    expect((await list()).map(({ kind }) => kind)).toContain('gap');
    expect(await verdict()).toMatch(new RegExp(`^ *note: .*${number}.*dropped(.|\\n)*^verdict: valid`, 'm'));
    expect(await agent.end('SIGTERM')).toBe(0);
    expect(shown()).toBe('STATUS=stopped');
  });
});
