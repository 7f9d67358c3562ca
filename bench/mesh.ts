/** The mesh of the agent's and the day's benchmark: one agent and its peers, as the program knows it and as YAML files. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MeshConfig } from '../src/config/mesh-config.ts';
import { farAddress, NEAR_ADDRESS } from './addresses.ts';
import { SETTINGS } from './settings.ts';

interface MeshSize {
  peers: number;
  flows: number;
  windowS: number;
  intervalMs: number;
}

/** The agent under test. */
export const SELF = 'near';

/** Every peer gets the paths of one ICMP class and of so many STAMP flows: 200 peers with four make 1,000 paths. */
export function benchMesh({ peers: count, flows, windowS, intervalMs }: MeshSize): MeshConfig {
  const likeAll = { ipv6: null, stampPort: SETTINGS.stampPort, reflector: 'stateful' } as const;
  const peers = Array.from({ length: count }, (_, i) => i + 1);
  return {
    name: 'bench',
    windowS,
    tmaxMs: 3000,
    schedule: 'periodic',
    limits: { probesPerSecondPerPeer: 200, probesPerSecondPerAgent: 20_000, bitsPerSecondPerPeer: 1_000_000 },
    pops: [
      { name: SELF, id: peers.length + 1, ipv4: NEAR_ADDRESS.ipv4, ...likeAll },
      ...peers.map((peer) => ({ name: `peer-${peer}`, id: peer, ipv4: farAddress(peer), ...likeAll })),
    ],
    probes: [
      { name: 'icmp', kind: 'icmp', family: 'ipv4', intervalMs, sizeBytes: SETTINGS.echoBytes, dscp: 0 },
      {
        name: 'stamp',
        kind: 'stamp',
        family: 'ipv4',
        intervalMs,
        sizeBytes: SETTINGS.stampBytes,
        dscp: 0,
        flows,
        sourcePort: SETTINGS.sourcePort,
        authenticated: false,
        tlvs: [],
      },
    ],
  };
}

/** Writes mesh.yaml and agent.yaml into the folder; the key is expected beside them. Returns the agent's file. */
export function writeConfiguration(folder: string, mesh: MeshConfig, collectorUrl: string): string {
  mkdirSync(join(folder, 'spool'));
  writeFileSync(join(folder, 'mesh.yaml'), meshYaml(mesh));
  const file = join(folder, 'agent.yaml');
  const lines = [
    'schema: popprobe.agent/1',
    `pop: ${SELF}`,
    'mesh: mesh.yaml',
    `key_file: ${SELF}.key`,
    `collector: { url: ${JSON.stringify(collectorUrl)} }`,
    'spool: { directory: spool }',
    'status_socket: agent.sock',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** JSON is YAML: one PoP and one probe class a line. */
function meshYaml(mesh: MeshConfig): string {
  const pops = mesh.pops.map(({ name, id, ipv4, stampPort }) => ({ name, id, ipv4, stamp_port: stampPort }));
  const probes = mesh.probes.map((probe) => {
    const { name, kind, intervalMs, sizeBytes, dscp } = probe;
    const shared = { name, kind, interval_ms: intervalMs, size_bytes: sizeBytes, dscp };
    return probe.kind === 'icmp' ? shared : { ...shared, flows: probe.flows, source_port: probe.sourcePort };
  });
  const list = (key: string, items: readonly object[]): string[] => [
    `${key}:`,
    ...items.map((item) => `  - ${JSON.stringify(item)}`),
  ];
  const head = [
    'schema: popprobe.mesh/1',
    `name: ${mesh.name}`,
    `window_s: ${mesh.windowS}`,
    `tmax_ms: ${mesh.tmaxMs}`,
  ];
  return `${[...head, ...list('pops', pops), ...list('probes', probes)].join('\n')}\n`;
}
