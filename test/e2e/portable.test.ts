/** A mesh in which one agent has kernel stamps, one is told to do without, and one has no koffi. */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSummary } from '../../src/protocol/parse-summary.ts';
import type { Summary, SummaryPath } from '../../src/protocol/summary.ts';
import { rootMissing } from '../linux/privileges.ts';
import { MeshRig, type Program } from './mesh-rig.ts';

const WITHOUT_KOFFI = ['--import', fileURLToPath(new URL('without-koffi.js', import.meta.url))];
const PORTABLE = { icmp: 'raw-socket icmp', stamp: 'node dgram' };

describe.skipIf(rootMissing())(`portable agents beside a kernel one (${rootMissing() ?? 'as root'})`, () => {
  const pops = ['hkg1', 'lax1', 'sin1'];
  let rig: MeshRig;
  let agents: Program[];

  beforeAll(async () => {
    rig = await MeshRig.create(pops, 24);
    await rig.write('lax1.yaml', `${rig.agentYaml('lax1')}transport: portable\n`);
    await rig.startCollector();
    agents = await Promise.all([
      rig.startAgent('hkg1'),
      rig.startAgent('lax1'),
      rig.startAgent('sin1', [], WITHOUT_KOFFI),
    ]);
  });
  afterAll(() => rig.close());

  it('lose nothing, account for every probe, and say whose stamps they have', async () => {
    // The second full window: in the first one, peers were still starting.
    const mesh = await rig.meshAfter(
      3,
      // Both ends have reported the same window.
      ({ pairs }) => pairs.every((pair) => pair.two_ended !== 'unknown'),
    );
    expect(mesh.pairs.map((pair) => pair.two_ended)).toEqual(mesh.pairs.map(() => 'agrees'));
    const summaries = new Map<string, Summary>();
    for (const pop of pops) summaries.set(pop, await fetchSummary(rig, pop, (await rig.summaries(pop)).at(-1) ?? 0));
    expect(parametersOf(summaries, 'hkg1')).toEqual([{ icmp: 'kernel icmp_raw', stamp: 'kernel udp' }, null]);
    expect(parametersOf(summaries, 'lax1')).toEqual([PORTABLE, 'configured']);
    expect(parametersOf(summaries, 'sin1')).toEqual([PORTABLE, 'kernel_unavailable']);
    for (const [pop, summary] of summaries) {
      const paths = summary.peers.flatMap((peer) => peer.paths);
      expect(paths.map(({ kind }) => kind)).toEqual(['icmp', 'stamp', 'stamp', 'icmp', 'stamp', 'stamp']);
      for (const path of paths) expectHealthy(path, pop === 'hkg1' ? 'kernel' : 'user');
    }
  });

  it('log once why they go without the kernel, and show it in the status', async () => {
    const message = 'no kernel timestamps: portable transport';
    const lines = agents.map((agent) => agent.lines.filter(({ msg }) => msg === message));
    expect(lines.map((own) => own.map(({ reason }) => reason))).toEqual([[], ['configured'], ['kernel_unavailable']]);
    expect(lines[2]?.[0]?.['explanation']).toContain('a koffi that cannot be loaded');
    await agents[2]?.logged('window sealed');
    expect(await rig.run(['status', '--config', rig.path('sin1.yaml')])).toMatch(
      /\nicmp by raw-socket icmp\nstamp by node dgram\nstamped by this program, not by the kernel: kernel_unavailable\n/,
    );
  });

  it('refuse another configuration, and say that it needs a restart', async () => {
    agents[1]?.process.kill('SIGHUP');
    const refused = await agents[1]?.logged('configuration refused, the running one stays');
    expect(refused?.['reason']).toMatch(/under the portable transport.*restart the agent/);
  });

  it('end cleanly', async () => {
    expect(await Promise.all(agents.map((agent) => agent.end('SIGTERM')))).toEqual([0, 0, 0]);
  });

  it('do not start where the kernel is asked for and not to be had', async () => {
    await rig.write('sin1.yaml', `${rig.agentYaml('sin1')}transport: kernel\n`);
    await expect(rig.startAgent('sin1', [], WITHOUT_KOFFI)).rejects.toThrow(/ended with 1.*kernel_unavailable/);
  });
});

async function fetchSummary(rig: MeshRig, pop: string, sequence: number): Promise<Summary> {
  const response = await fetch(`${rig.url}/api/v1/documents/${pop}/${sequence}`);
  return parseSummary(new Uint8Array(await response.arrayBuffer()));
}

function parametersOf(summaries: ReadonlyMap<string, Summary>, pop: string) {
  const parameters = summaries.get(pop)?.parameters;
  return [parameters?.transport, parameters?.transport_reason];
}

function expectHealthy({ counts, provenance, rtt }: SummaryPath, by: 'kernel' | 'user'): void {
  const { due, received, lost, refused, missed } = counts;
  expect({ lost, refused, void: counts.void }).toEqual({ lost: 0, refused: 0, void: 0 });
  expect(received + missed).toBe(due);
  expect(received).toBeGreaterThan(due / 2);
  expect(rtt?.min_ns).toBeGreaterThan(0);
  const none = { tx_hardware: 0, tx_kernel: 0, tx_user: 0, rx_hardware: 0, rx_kernel: 0, rx_user: 0 };
  expect(provenance).toEqual({ ...none, [`tx_${by}`]: received, [`rx_${by}`]: received });
}
