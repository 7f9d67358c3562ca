/** What a mesh costs each agent, and that every limit is enforced at its edge. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { meshBudget } from '../../src/config/mesh-budget.ts';
import type { MeshConfig, ProbeClass } from '../../src/config/mesh-config.ts';
import { openMesh } from '../../src/config/open-mesh.ts';

const folder = mkdtempSync(join(tmpdir(), 'popprobe-budget-'));
const file = join(folder, 'mesh.yaml');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the budget of a mesh', () => {
  it('counts one path per icmp class and one per stamp flow, towards every other PoP', () => {
    const icmp: ProbeClass = { name: 'icmp', kind: 'icmp', intervalMs: 500, sizeBytes: 64, dscp: 0 };
    const stamp: ProbeClass = { ...icmp, name: 'stamp', kind: 'stamp', intervalMs: 100, flows: 4, sourcePort: 18620 };
    const pops = ['a', 'b', 'c'].map((name, i) => ({ name, id: i + 1, ipv4: `10.0.0.${i}`, stampPort: 862 }));
    const mesh: MeshConfig = { name: 'm', windowS: 60, tmaxMs: 3000, pops, probes: [icmp, stamp] };
    expect(meshBudget(mesh)).toEqual({
      peers: 2,
      pathsPerPeer: 5,
      paths: 10,
      probesPerSecondPerPeer: 42,
      probesPerSecond: 84,
      // 123,000 ms / 500 ms + 2 = 248 -> 256 slots; 123,000 / 100 + 2 = 1232 -> 2048 slots in each of 4 flows; 62 octets
      ringBytes: 2 * (256 + 4 * 2048) * 62,
    });
  });
});

describe('a mesh beyond a limit', () => {
  it('is refused when an agent would have more than 65,535 paths', () => {
    const probes = `${file}:2055`;
    expect(complaints({ pops: 2048, classes: 16, flows: 16, intervalMs: 60_000 })).toEqual([]);
    expect(complaints({ pops: 2049, classes: 16, flows: 16, intervalMs: 60_000 })).toEqual([
      `at most 65535 paths per agent; found 65536 (2048 peers (${file}:5) times 32 paths each (${probes}))`,
    ]);
  });

  it('is refused when an agent would send more than 50,000 probes/s', () => {
    const probes = `${file}:58`;
    expect(complaints({ pops: 51, classes: 1, intervalMs: 1, windowS: 5 })).toEqual([]);
    expect(complaints({ pops: 52, classes: 1, intervalMs: 1, windowS: 5 })).toEqual([
      `at most 50000 probes/s per agent; found 51000 (51 peers (${file}:5) times 1000 probes/s each (${probes}))`,
    ]);
  });

  it('is refused when the rings of an agent would take more than a GiB', () => {
    // (2 x 300,000 + 3000) / 1 + 2 slots -> 2^20, 62 octets each: 16 peers fit into a GiB, 17 do not.
    expect(complaints({ pops: 17, classes: 1, intervalMs: 1, windowS: 300 })).toEqual([]);
    expect(complaints({ pops: 18, classes: 1, intervalMs: 1, windowS: 300 })).toEqual([
      `at most 1073741824 octets of memory for the rings of an agent; found 1105199104 (17 peers (${file}:5), and window_s 300 (${file}:3))`,
    ]);
  });
});

interface Shape {
  pops: number;
  classes: number;
  flows?: number;
  intervalMs: number;
  windowS?: number;
}

/** Writes a mesh of icmp classes, and perhaps a stamp class, and returns what is said about it, without place and remedy. */
function complaints({ pops, classes, flows = 0, intervalMs, windowS = 10 }: Shape): string[] {
  const lines = ['schema: popprobe.mesh/1', 'name: big', `window_s: ${windowS}`, 'pops:'];
  for (let i = 1; i <= pops; i++) lines.push(`  - { name: p${i}, id: ${i}, ipv4: 10.0.${i >> 8}.${i & 255} }`);
  lines.push('probes:');
  for (let i = 1; i <= classes; i++) lines.push(`  - { name: c${i}, kind: icmp, interval_ms: ${intervalMs} }`);
  if (flows > 0) lines.push(`  - { name: s, kind: stamp, interval_ms: ${intervalMs}, flows: ${flows} }`);
  writeFileSync(file, lines.join('\n'));
  return openMesh(file).loaded.problems.map(({ expected, found }) => `${expected}; found ${found}`);
}
