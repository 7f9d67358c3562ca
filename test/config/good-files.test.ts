/** The configurations that are shipped load, and say what they should. */

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type AgentConfig, loadAgentConfig } from '../../src/config/agent-config.ts';
import { loadCollectorConfig } from '../../src/config/collector-config.ts';
import type { MeshConfig } from '../../src/config/mesh-config.ts';
import { openMesh } from '../../src/config/open-mesh.ts';
import type { Loaded } from '../../src/config/problem.ts';

const folder = mkdtempSync(join(tmpdir(), 'popprobe-config-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const QUICKSTART_MESH: MeshConfig = {
  name: 'quickstart',
  windowS: 10,
  tmaxMs: 3000,
  pops: [
    { name: 'hkg1', id: 1, ipv4: '127.0.1.1', stampPort: 8620 },
    { name: 'sin1', id: 2, ipv4: '127.0.1.2', stampPort: 8620 },
    { name: 'lax1', id: 3, ipv4: '127.0.1.3', stampPort: 8620 },
  ],
  probes: [
    { name: 'icmp', kind: 'icmp', intervalMs: 200, sizeBytes: 64, dscp: 0 },
    { name: 'stamp', kind: 'stamp', intervalMs: 100, sizeBytes: 44, dscp: 0, flows: 4, sourcePort: 18620 },
  ],
};

describe('the quickstart configuration', () => {
  it.each(['hkg1', 'sin1', 'lax1'])('tells the agent %s who it is and where everything lies', (pop) => {
    const agent = `config/quickstart/${pop}.yaml`;
    const octets = [readFileSync(agent), readFileSync('config/quickstart/mesh.yaml')];
    expect(configOf(loadAgentConfig(agent))).toEqual<AgentConfig>({
      pop,
      mesh: QUICKSTART_MESH,
      keyFile: resolve(`var/quickstart/keys/${pop}.key`),
      collectorUrl: 'http://127.0.0.1:8790',
      spool: { directory: resolve(`var/quickstart/spool/${pop}`), maxBytes: 268_435_456 },
      statusSocket: resolve(`var/quickstart/${pop}.sock`),
      tickMs: 5,
      logLevel: 'info',
      digest: createHash('sha256').update(Buffer.concat(octets)).digest('base64url'),
    });
  });

  it('tells the collector whose keys it accepts', () => {
    expect(configOf(loadCollectorConfig('config/quickstart/collector.yaml'))).toEqual({
      listen: { host: '127.0.0.1', port: 8790 },
      store: { sqliteFile: resolve('var/quickstart/collector.db') },
      pops: ['hkg1', 'sin1', 'lax1'].map((name) => ({
        name,
        keyFiles: [resolve(`var/quickstart/keys/${name}.pub.json`)],
      })),
      logLevel: 'info',
    });
  });
});

describe('the example configuration', () => {
  it('loads without problems', () => {
    expect(openMesh('config/example/mesh.yaml').loaded.problems).toEqual([]);
    expect(loadAgentConfig('config/example/agent.yaml').problems).toEqual([]);
    expect(loadCollectorConfig('config/example/collector.yaml').problems).toEqual([]);
  });

  it('lets one PoP listen on a STAMP port of its own', () => {
    const { pops } = configOf(openMesh('config/example/mesh.yaml').loaded);
    expect(pops.map(({ stampPort }) => stampPort)).toEqual([862, 862, 8862]);
  });
});

describe('a loaded configuration', () => {
  it('is frozen all the way down', () => {
    const { mesh } = configOf(loadAgentConfig('config/quickstart/hkg1.yaml'));
    expect(Object.isFrozen(mesh)).toBe(true);
    expect(() => Object.assign(mesh.pops[0] ?? {}, { id: 9 })).toThrow(TypeError);
  });

  it('has the defaults of RFC 8762 and RFC 8912 where the file says nothing', () => {
    const file = join(folder, 'mesh.yaml');
    const pops = 'pops: [{name: a, id: 1, ipv4: 10.0.0.1}, {name: b, id: 2, ipv4: 10.0.0.2}]';
    writeFileSync(
      file,
      `schema: popprobe.mesh/1\nname: m\n${pops}\nprobes: [{name: i, kind: icmp, interval_ms: 500}]\n`,
    );
    const { windowS, tmaxMs, pops: loaded } = configOf(openMesh(file).loaded);
    expect({ windowS, tmaxMs, stampPort: loaded[0]?.stampPort }).toEqual({ windowS: 60, tmaxMs: 3000, stampPort: 862 });
  });

  it('has another digest as soon as one octet of either file differs', () => {
    const [mesh, agent] = [join(folder, 'mesh.yaml'), join(folder, 'agent.yaml')];
    const meshText = readFileSync('config/quickstart/mesh.yaml', 'utf8');
    const agentText = readFileSync('config/quickstart/hkg1.yaml', 'utf8');
    const digests = [
      ['', ''],
      ['#', ''],
      ['', '#'],
    ].map(([agentTail = '', meshTail = '']) => {
      writeFileSync(mesh, meshText + meshTail);
      writeFileSync(agent, agentText + agentTail);
      return configOf(loadAgentConfig(agent)).digest;
    });
    expect(new Set(digests).size).toBe(3);
  });
});

function configOf<T>(loaded: Loaded<T>): T {
  expect(loaded.problems).toEqual([]);
  if (loaded.config === null) throw new Error('no configuration');
  return loaded.config;
}
