/** What a mesh costs each agent, and that every limit is enforced at its edge. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { agentBudget, type BudgetMesh, meshBudget, peerBudgets } from '../../src/config/mesh-budget.ts';
import { openMesh } from '../../src/config/open-mesh.ts';

const folder = mkdtempSync(join(tmpdir(), 'popprobe-budget-'));
const file = join(folder, 'mesh.yaml');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const icmp = { family: 'ipv4', intervalMs: 500, sizeBytes: 64 } as const;
const stamp = { family: 'ipv4', intervalMs: 100, sizeBytes: 44, flows: 4 } as const;
const onlyIpv4 = { ipv4: '10.0.0.1', ipv6: null };
const onlyIpv6 = { ipv4: null, ipv6: '2001:db8::1' };
const both = { ipv4: '10.0.0.1', ipv6: '2001:db8::1' };

describe('the budget of a mesh', () => {
  it('counts one path per icmp class and one per stamp flow, towards every other PoP', () => {
    const mesh: BudgetMesh = {
      schedule: 'periodic',
      windowS: 60,
      tmaxMs: 3000,
      pops: [onlyIpv4, onlyIpv4, onlyIpv4],
      probes: [icmp, stamp],
    };
    // 123,000 ms / 500 ms + 2 = 248 -> 256 slots; 123,000 / 100 + 2 = 1232 -> 2048 slots in each of 4 flows; 62 octets
    expect(meshBudget(mesh)).toEqual({
      peers: 2,
      paths: 10,
      probesPerSecond: 84,
      ringBytes: 2 * (256 + 4 * 2048) * 62,
    });
    // 2 packets/s of 20 + 8 + 64 octets, 40 packets/s of 20 + 8 + 44 octets
    const bitsPerSecond = 8 * (2 * 92 + 40 * 72);
    expect(peerBudgets(mesh)).toEqual([
      { families: ['ipv4'], paths: 5, probesPerSecond: 42, bitsPerSecond, slots: 256 + 4 * 2048 },
    ]);
  });

  it('counts the classes of a family only between PoPs that both have an address of it, and names the busiest agent', () => {
    const stamp6 = { ...stamp, family: 'ipv6' } as const;
    const pops = [onlyIpv4, both, both, onlyIpv6, onlyIpv6];
    const mesh: BudgetMesh = { schedule: 'periodic', windowS: 60, tmaxMs: 3000, pops, probes: [icmp, stamp6] };
    const [ipv4, dual, , ipv6] = [onlyIpv4, both, both, onlyIpv6].map((pop) => agentBudget(mesh, pop));
    expect(ipv4).toMatchObject({ peers: 2, paths: 2, probesPerSecond: 4 });
    // one peer with 1 path, one with 5, two with 4
    expect(dual).toMatchObject({ peers: 4, paths: 14, probesPerSecond: 2 + 42 + 2 * 40 });
    expect(ipv6).toMatchObject({ peers: 3, paths: 12, probesPerSecond: 120 });
    expect(meshBudget(mesh)).toEqual(dual);
    // 40 packets/s of 40 + 8 + 44 octets
    const widest = peerBudgets(mesh).find(({ families }) => families.length === 2);
    expect(widest).toMatchObject({ probesPerSecond: 42, bitsPerSecond: 8 * (2 * 92 + 40 * 92) });
  });

  it('has room for the bursts of a Poisson schedule', () => {
    const pops = [onlyIpv4, onlyIpv4];
    const ringBytes = (schedule: BudgetMesh['schedule'], intervalMs: number): number =>
      meshBudget({ schedule, windowS: 60, tmaxMs: 3000, pops, probes: [{ ...icmp, intervalMs }] }).ringBytes;
    // 123,000 / 123 + 2 = 1002 probes fit into 1024 slots; six standard deviations more, 190, do not.
    expect([ringBytes('periodic', 123), ringBytes('poisson', 123)]).toEqual([1024 * 62, 2048 * 62]);
  });

  it('is nothing for a PoP that shares no family with another', () => {
    const mesh: BudgetMesh = {
      schedule: 'periodic',
      windowS: 60,
      tmaxMs: 3000,
      pops: [onlyIpv4, onlyIpv6, onlyIpv6],
      probes: [icmp],
    };
    expect(agentBudget(mesh, onlyIpv4)).toEqual({ peers: 0, paths: 0, probesPerSecond: 0, ringBytes: 0 });
  });
});

describe('a mesh beyond a limit', () => {
  it('is refused when an agent would have more than 65,535 paths', () => {
    const probes = `${file}:2056`;
    expect(complaints({ pops: 2048, classes: 16, flows: 16, intervalMs: 60_000 })).toEqual([]);
    expect(complaints({ pops: 2049, classes: 16, flows: 16, intervalMs: 60_000 })).toEqual([
      `at most 65520 paths per agent; found 65536 (2048 peers (${file}:6) with up to 32 paths each (${probes}))`,
    ]);
  });

  it('is refused when the rings of an agent would take more than a GiB', () => {
    // (2 x 300,000 + 3000) / 1 + 2 slots -> 2^20, 62 octets each: 16 peers fit into a GiB, 17 do not.
    expect(complaints({ pops: 17, classes: 1, intervalMs: 1, windowS: 300, limits: WIDE })).toEqual([]);
    expect(complaints({ pops: 18, classes: 1, intervalMs: 1, windowS: 300, limits: WIDE })).toEqual([
      `at most 1073741824 octets of memory for the rings of an agent; found 1105199104 (17 peers (${file}:6), and window_s 300 (${file}:3))`,
    ]);
  });

  it('is refused when it would send more than its own limits allow, each at its edge', () => {
    // 10 PoPs, 100 packets/s of 92 octets to each of the 9 others.
    const shape = { pops: 10, classes: 1, intervalMs: 10 };
    const [pops, probes] = [`${file}:6`, `${file}:17`];
    const atMost = (perPeer: number, perAgent: number, bits: number): string =>
      `{ probes_per_second_per_peer: ${perPeer}, probes_per_second_per_agent: ${perAgent}, bits_per_second_per_peer: ${bits} }`;
    expect(complaints({ ...shape, limits: atMost(100, 900, 73_600) })).toEqual([]);
    expect(complaints({ ...shape, limits: atMost(99, 899, 73_599) })).toEqual([
      `at most 899 probes/s per agent (limits.probes_per_second_per_agent at ${file}:4); found 900 (9 peers (${pops}) with up to 100 probes/s each (${probes}))`,
      `at most 99 probes/s per peer (limits.probes_per_second_per_peer at ${file}:4); found 100 (100 at ${probes})`,
      `at most 73599 bit/s per peer (limits.bits_per_second_per_peer at ${file}:4); found 73600 (73600 at ${probes})`,
    ]);
  });

  it('is refused beyond the defaults of the limits, and says that they are defaults', () => {
    const expected = (shape: Shape): string[] => complaints(shape).map((line) => line.replace(/; found.*/, ''));
    expect(expected({ pops: 101, classes: 1, intervalMs: 5 })).toEqual([]);
    expect(expected({ pops: 102, classes: 1, intervalMs: 5 })).toEqual([
      'at most 20000 probes/s per agent (the default of limits.probes_per_second_per_agent)',
    ]);
    expect(expected({ pops: 2, classes: 1, intervalMs: 4.9 })).toEqual([
      'at most 200 probes/s per peer (the default of limits.probes_per_second_per_peer)',
    ]);
    expect(expected({ pops: 2, classes: 1, intervalMs: 10, sizeBytes: 1222 })).toEqual([]);
    expect(expected({ pops: 2, classes: 1, intervalMs: 10, sizeBytes: 1223 })).toEqual([
      'at most 1000000 bit/s per peer (the default of limits.bits_per_second_per_peer)',
    ]);
  });

  it('is not accused by a figure that is itself wrong', () => {
    for (const limits of ['7', '{ probes_per_second_per_peer: 0 }', '{ probes_per_second_per_pear: 1000 }']) {
      expect(complaints({ pops: 2, classes: 1, intervalMs: 1, limits }).join()).not.toContain('probes/s per peer (');
    }
    expect(complaints({ pops: 20, classes: 1, intervalMs: 1, windowS: 301, limits: WIDE })).toEqual([
      expect.stringContaining('a number of seconds'),
    ]);
  });
});

interface Shape {
  pops: number;
  classes: number;
  flows?: number;
  intervalMs: number;
  windowS?: number;
  limits?: string;
  sizeBytes?: number;
}

const WIDE =
  '{ probes_per_second_per_peer: 1000, probes_per_second_per_agent: 100000, bits_per_second_per_peer: 12000000 }';

/** Writes a mesh of icmp classes, and perhaps a stamp class, and returns what is said about it, without place and remedy. */
function complaints({
  pops,
  classes,
  flows = 0,
  intervalMs,
  windowS = 10,
  limits = '{}',
  sizeBytes = 64,
}: Shape): string[] {
  const lines = ['schema: popprobe.mesh/1', 'name: big', `window_s: ${windowS}`, `limits: ${limits}`, 'pops:'];
  for (let i = 1; i <= pops; i++) lines.push(`  - { name: p${i}, id: ${i}, ipv4: 10.0.${i >> 8}.${i & 255} }`);
  lines.push('probes:');
  const common = `interval_ms: ${intervalMs}`;
  for (let i = 1; i <= classes; i++) lines.push(`  - { name: c${i}, kind: icmp, ${common}, size_bytes: ${sizeBytes} }`);
  if (flows > 0) lines.push(`  - { name: s, kind: stamp, ${common}, flows: ${flows} }`);
  writeFileSync(file, lines.join('\n'));
  return openMesh(file).loaded.problems.map(({ expected, found }) => `${expected}; found ${found}`);
}
