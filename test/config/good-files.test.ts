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
  schedule: 'periodic',
  limits: { probesPerSecondPerPeer: 200, probesPerSecondPerAgent: 20_000, bitsPerSecondPerPeer: 1_000_000 },
  pops: [
    { name: 'hkg1', id: 1, ipv4: '127.0.1.1', ipv6: null, stampPort: 8620, reflector: 'stateful' },
    { name: 'sin1', id: 2, ipv4: '127.0.1.2', ipv6: null, stampPort: 8620, reflector: 'stateful' },
    { name: 'lax1', id: 3, ipv4: '127.0.1.3', ipv6: null, stampPort: 8620, reflector: 'stateful' },
  ],
  probes: [
    { name: 'icmp', kind: 'icmp', family: 'ipv4', intervalMs: 200, sizeBytes: 64, dscp: 0 },
    {
      name: 'stamp',
      kind: 'stamp',
      family: 'ipv4',
      intervalMs: 100,
      sizeBytes: 44,
      dscp: 0,
      flows: 4,
      sourcePort: 18620,
      authenticated: false,
      tlvs: [],
    },
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
      nextKeyFile: null,
      stampKeys: null,
      reflector: { mode: 'stateful', packetsPerSecondPerSession: 200, twampSenders: [] },
      collector: { urls: ['http://127.0.0.1:8790'], caFile: null, clientCertificate: null, proxy: null },
      spool: { directory: resolve(`var/quickstart/spool/${pop}`), maxBytes: 268_435_456, maxAgeH: 1080 },
      statusSocket: resolve(`var/quickstart/${pop}.sock`),
      tickMs: 25,
      transport: 'auto',
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
        keys: [{ file: resolve(`var/quickstart/keys/${name}.pub.json`) }],
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

describe('a mesh with every key', () => {
  const mesh = configOf(openMesh('test/config/good/mesh-full.yaml').loaded);

  it('says when to send and how much at most', () => {
    expect({ schedule: mesh.schedule, limits: mesh.limits }).toEqual({
      schedule: 'poisson',
      limits: { probesPerSecondPerPeer: 100, probesPerSecondPerAgent: 1000, bitsPerSecondPerPeer: 200_000 },
    });
  });

  it('has PoPs of either family and of both, IPv6 in its one spelling, each with its reflector', () => {
    const [hkg1, sin1, lax1, fra1] = mesh.pops;
    expect(hkg1).toEqual({
      name: 'hkg1',
      id: 1,
      ipv4: '198.51.100.11',
      ipv6: '2001:db8::11',
      stampPort: 8620,
      reflector: 'stateful',
    });
    expect(sin1).toMatchObject({ ipv4: '198.51.100.12', ipv6: null, stampPort: 8621, reflector: 'stateless' });
    expect(lax1).toMatchObject({ ipv4: null, ipv6: '2001:db8::13' });
    expect(fra1).toMatchObject({ ipv6: '::1', stampPort: 862, reflector: 'stateful' });
  });

  it('has classes of either family, as large as what they carry', () => {
    expect(mesh.probes.map(({ name, family, sizeBytes }) => [name, family, sizeBytes])).toEqual([
      ['echo', 'ipv4', 64],
      ['echo6', 'ipv6', 1452],
      ['plain', 'ipv4', 44],
      ['padded', 'ipv6', 48],
      ['signed', 'ipv4', 112],
      // 112 octets, TLVs of 8, 16, 20, 8 and 48, and 20 for the HMAC TLV
      ['rich', 'ipv4', 232],
    ]);
    expect(mesh.probes.at(-1)).toMatchObject({
      authenticated: true,
      tlvs: ['class_of_service', 'direct_measurement', 'follow_up_telemetry', 'timestamp_information', 'location'],
    });
  });
});

describe('an agent with every key', () => {
  it('knows the key that signs and its successor', () => {
    const { keyFile, nextKeyFile } = configOf(loadAgentConfig('test/config/good/agent-full.yaml'));
    expect([keyFile, nextKeyFile]).toEqual([resolve('test/config/good/sin1.key'), '/run/credentials/sin1-2027.key']);
  });

  it('knows its STAMP keys and how its reflector answers', () => {
    const file = 'test/config/good/agent-full.yaml';
    const { stampKeys, reflector } = configOf(loadAgentConfig(file));
    expect(stampKeys).toBe(resolve('test/config/good/stamp'));
    expect(reflector).toEqual({
      mode: 'stateless',
      packetsPerSecondPerSession: 1000,
      twampSenders: [
        { address: '198.51.100.7', port: 862 },
        { address: '198.51.100.7', port: 863 },
      ],
    });
  });

  it('knows its collectors in their order, and by which certificates and which proxy they are reached', () => {
    expect(configOf(loadAgentConfig('test/config/good/agent-full.yaml')).collector).toEqual({
      urls: ['https://collector.example.net/popprobe', 'http://198.51.100.9:8790'],
      caFile: resolve('test/config/good/ca.pem'),
      clientCertificate: {
        certificateFile: resolve('test/config/good/sin1.pem'),
        keyFile: '/etc/popprobe/sin1-tls.key',
      },
      proxy: 'http://proxy.example.net:3128',
    });
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
