/** Two real agents with everything a mesh can ask for: both families, authenticated STAMP, TLVs, Poisson, a size and a DSCP. */

import { execFileSync, type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Summary, SummaryPath } from '../../src/protocol/summary.ts';
import { rootMissing } from '../linux/privileges.ts';
import { spooledSummaries } from './spooled-summaries.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const NAMESPACE = `popprobe-full-${process.pid}`;
const ALL_TLVS = 'class_of_service, direct_measurement, follow_up_telemetry, timestamp_information, location';
const MESH = `schema: popprobe.mesh/1
name: full
window_s: 5
stamp_port: 8620
schedule: poisson
pops:
  - { name: hkg1, id: 1, ipv4: 198.18.0.1, ipv6: '2001:db8::1' }
  - { name: sin1, id: 2, ipv4: 198.18.0.2, ipv6: '2001:db8::2' }
probes:
  - { name: echo4, kind: icmp, interval_ms: 100 }
  - { name: echo6, kind: icmp, family: ipv6, interval_ms: 100, size_bytes: 200, dscp: 10 }
  - { name: plain, kind: stamp, interval_ms: 100, flows: 2, source_port: 18620 }
  - { name: plain6, kind: stamp, family: ipv6, interval_ms: 100, flows: 2, source_port: 18630, size_bytes: 1000 }
  - { name: rich, kind: stamp, interval_ms: 100, flows: 1, source_port: 18640, dscp: 46, tlvs: [${ALL_TLVS}] }
  - { name: signed6, kind: stamp, family: ipv6, interval_ms: 100, flows: 1, source_port: 18650, authenticated: true,
      tlvs: [${ALL_TLVS}], size_bytes: 300 }
`;

function agentYaml(pop: string): string {
  return `schema: popprobe.agent/1
pop: ${pop}
mesh: mesh.yaml
key_file: ${pop}.key
stamp_keys: stamp
collector: { url: 'http://127.0.0.1:9' }
spool: { directory: spool-${pop} }
status_socket: ${pop}.sock
`;
}

describe.skipIf(rootMissing())(`a mesh with everything (${rootMissing() ?? 'as root'})`, () => {
  let folder: string;
  const agents: ChildProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'popprobe-full-'));
    writeFileSync(join(folder, 'mesh.yaml'), MESH);
    for (const pop of ['hkg1', 'sin1']) {
      writeFileSync(join(folder, `${pop}.yaml`), agentYaml(pop));
      popprobe('keygen', pop, '--out', folder);
    }
    for (const session of ['hkg1-to-sin1', 'sin1-to-hkg1']) {
      popprobe('keygen', '--stamp', session, '--out', join(folder, 'stamp'));
    }
    popprobe('check', join(folder, 'hkg1.yaml'));
    execFileSync('ip', ['netns', 'add', NAMESPACE]);
    const addresses = ['198.18.0.1/32', '198.18.0.2/32', '2001:db8::1/128', '2001:db8::2/128'];
    const commands = ['link set lo up', ...addresses.map((address) => `addr add ${address} dev lo nodad`)];
    execFileSync('ip', ['-netns', NAMESPACE, '-batch', '-'], {
      input: commands.join('\n').replaceAll('/32 dev lo nodad', '/32 dev lo'),
    });
    for (const pop of ['hkg1', 'sin1']) agents.push(startAgent(pop));
    await sealed(agents[0], 3);
  });
  afterAll(async () => {
    for (const agent of agents) {
      agent.kill('SIGKILL');
      await once(agent, 'exit');
    }
    execFileSync('ip', ['netns', 'delete', NAMESPACE]);
    rmSync(folder, { recursive: true, force: true });
  });

  function popprobe(...args: string[]): string {
    return execFileSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
  }

  function startAgent(pop: string): ChildProcess {
    const program = [process.execPath, PROGRAM, 'agent', '--config', join(folder, `${pop}.yaml`)];
    return spawn('ip', ['netns', 'exec', NAMESPACE, ...program], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  /** Of the newest sealed window, a full one. */
  function newestSummary(): Summary {
    const newest = spooledSummaries(join(folder, 'spool-hkg1')).at(-1);
    if (!newest) throw new Error('no summary in the spool');
    return newest;
  }

  function newestPaths(): SummaryPath[] {
    const summary = newestSummary();
    expect(summary.parameters.schedule).toBe('poisson');
    const [peer] = summary.peers;
    expect(peer?.seconds).toMatch(/^g+$/);
    expect(peer?.classes.map((row) => row.class)).toEqual(['echo4', 'echo6', 'plain', 'plain6', 'rich', 'signed6']);
    return peer?.paths ?? [];
  }

  it('loses nothing on any path, and knows the way both ways', () => {
    const paths = newestPaths();
    expect(paths.map(({ class: name, family, flow }) => `${name} ${family} ${flow}`)).toEqual([
      'echo4 ipv4 0',
      'echo6 ipv6 0',
      'plain ipv4 0',
      'plain ipv4 1',
      'plain6 ipv6 0',
      'plain6 ipv6 1',
      'rich ipv4 0',
      'signed6 ipv6 0',
    ]);
    for (const { counts, hops, kind, dscp_remarked, loss_direction } of paths) {
      expect(counts).toMatchObject({ lost: 0, refused: 0, void: 0, duplicate: 0 });
      expect(counts.received).toBeGreaterThan(counts.due / 2);
      expect(dscp_remarked).toEqual({ forward: 0, reverse: 0 });
      expect(hops.forward?.last).toBe(kind === 'stamp' ? 0 : undefined);
      expect(loss_direction?.restarts).toBe(kind === 'stamp' ? 0 : undefined);
    }
  });

  it('knows how much of its delays is spent in the host itself, on every kind and family', () => {
    const floors = spooledSummaries(join(folder, 'spool-hkg1')).map(({ instrument }) => instrument.floor);
    for (const [place, name] of ['icmp ipv4', 'icmp ipv6', 'stamp ipv4', 'stamp ipv6'].entries()) {
      // One a second, at random: of a single window of 5 s it may be that none falls due.
      const rows = floors.flatMap((floor) => floor[place] ?? []);
      expect(rows.map(({ kind, family }) => `${kind} ${family}`)).toEqual(floors.map(() => name));
      const due = rows.reduce((sum, row) => sum + row.due, 0);
      const received = rows.reduce((sum, row) => sum + row.received, 0);
      expect(received).toBeGreaterThan(due / 2);
      for (const row of rows) expect(row.p50_ns ?? 0).toBeGreaterThan(row.received > 0 ? 0 : -1);
    }
  });

  it('has the counters of the reflector where it asked for them', () => {
    const [plain, ...rich] = newestPaths().filter(
      ({ class: name }) => ['rich', 'signed6'].includes(name) || name === 'plain',
    );
    expect(plain?.direct_measurement).toBeNull();
    const measured = rich.flatMap(({ direct_measurement: counters }) => (counters ? [counters] : []));
    expect(measured).toHaveLength(2);
    for (const { reflector_received, reflector_sent } of measured) {
      expect(reflector_received).toBeGreaterThan(50);
      expect(reflector_sent).toBe(reflector_received);
    }
  });
});

/** Resolves when the agent has logged this many sealed windows. */
async function sealed(agent: ChildProcess | undefined, windows: number): Promise<void> {
  let count = 0;
  for await (const data of agent?.stdout ?? []) {
    count += String(data).split('"msg":"window sealed"').length - 1;
    if (count >= windows) return;
  }
  throw new Error(`the agent ended after ${count} windows`);
}
