/** Two real agents and a firewall between them: what each says in its signed documents of what the other sent. */

import { execFileSync, type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Summary, SummaryPath, SummaryReflected } from '../../src/protocol/summary.ts';
import { reconcile } from '../../src/stats/two-ended.ts';
import { rootMissing, toolsMissing } from '../linux/privileges.ts';
import { spooledSummaries } from './spooled-summaries.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const NAMESPACE = `popprobe-ends-${process.pid}`;
const POPS = ['hkg1', 'sin1'] as const;
const [HKG1, SIN1] = ['198.18.0.1', '198.18.0.2'];
const MESH = `schema: popprobe.mesh/1
name: ends
window_s: 5
stamp_port: 8620
pops:
  - { name: hkg1, id: 1, ipv4: ${HKG1} }
  - { name: sin1, id: 2, ipv4: ${SIN1} }
probes:
  - { name: stamp, kind: stamp, interval_ms: 20, flows: 2 }
`;

function agentYaml(pop: string): string {
  return `schema: popprobe.agent/1
pop: ${pop}
mesh: mesh.yaml
key_file: ${pop}.key
collector: { url: 'http://127.0.0.1:9' }
spool: { directory: spool-${pop} }
status_socket: ${pop}.sock
`;
}

/** An agent that has nobody to push to: all its documents stay in its spool. */
interface Agent {
  process: ChildProcess;
  sealed: number;
}

/** One path of a window, and its other end. */
interface Ends {
  path: SummaryPath;
  session: SummaryReflected;
  sent: number;
  tolerance: number;
  verdict: string;
}

const missing = rootMissing() ?? toolsMissing('ip', 'nft');

describe.skipIf(missing)(`two ends with a firewall between them (${missing ?? 'as root'})`, () => {
  let folder: string;
  const agents: Agent[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'popprobe-ends-'));
    writeFileSync(join(folder, 'mesh.yaml'), MESH);
    execFileSync('ip', ['netns', 'add', NAMESPACE]);
    execFileSync('ip', ['-netns', NAMESPACE, '-batch', '-'], {
      input: ['link set lo up', `addr add ${HKG1}/32 dev lo`, `addr add ${SIN1}/32 dev lo`].join('\n'),
    });
    for (const pop of POPS) {
      writeFileSync(join(folder, `${pop}.yaml`), agentYaml(pop));
      execFileSync(process.execPath, [PROGRAM, 'keygen', pop, '--out', folder]);
      agents.push(startAgent(pop));
    }
    // The first window began before the agents did.
    await windows(2);
  });
  beforeEach(() => firewall('flush ruleset'));
  afterAll(async () => {
    for (const { process: agent } of agents) {
      agent.kill('SIGKILL');
      await once(agent, 'exit');
    }
    execFileSync('ip', ['netns', 'delete', NAMESPACE]);
    rmSync(folder, { recursive: true, force: true });
  });

  function startAgent(pop: string): Agent {
    const program = [process.execPath, PROGRAM, 'agent', '--config', join(folder, `${pop}.yaml`)];
    const child = spawn('ip', ['netns', 'exec', NAMESPACE, ...program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const agent = { process: child, sealed: 0 };
    child.stdout.on('data', (data: Buffer) => {
      agent.sealed += String(data).split('"msg":"window sealed"').length - 1;
      child.emit('sealed');
    });
    return agent;
  }

  /** Resolves when both agents have sealed this many more windows. */
  async function windows(count: number): Promise<void> {
    await Promise.all(
      agents.map(async (agent) => {
        const enough = agent.sealed + count;
        while (agent.sealed < enough) await once(agent.process, 'sealed');
      }),
    );
  }

  function firewall(rules: string): void {
    execFileSync('ip', ['netns', 'exec', NAMESPACE, 'nft', '-f', '-'], { input: `${rules}\n` });
  }

  /** Drops every nth packet of a kind (an odd n: the two flows take turns), where it arrives (`input`) or before it leaves (`output`). */
  function dropEvery(nth: number, hook: 'input' | 'output', packets: string): void {
    firewall(`add table ip popprobe
add chain ip popprobe ends { type filter hook ${hook} priority 0; }
add rule ip popprobe ends ${packets} numgen inc mod ${nth} == 0 drop`);
  }

  /** A PoP's documents by the start of their window. */
  function documentsOf(pop: string): Map<number, Summary> {
    const summaries = spooledSummaries(join(folder, `spool-${pop}`));
    return new Map(summaries.map((summary) => [summary.window.start_unix_s, summary]));
  }

  /** The paths from one PoP to the other in the newest window that both have sealed. */
  function endsOf(from: string, to: string): Ends[] {
    const [own, others] = [documentsOf(from), documentsOf(to)];
    const startS = Math.max(...[...own.keys()].filter((start) => others.has(start)));
    const [summary, other] = [own.get(startS), others.get(startS)];
    const sessions = other?.peers.find(({ peer }) => peer === from)?.reflected ?? [];
    const paths = summary?.peers.find(({ peer }) => peer === to)?.paths ?? [];
    expect(paths).toHaveLength(2);
    return paths.map((path) => {
      const session = sessions.find(({ flow }) => flow === path.flow);
      if (!summary || !session) throw new Error(`no other end of flow ${path.flow}`);
      // One host, one clock.
      const end = { partial: false, clockErrorNs: 0 };
      const { counts, loss_direction: direction, interval_ms: intervalMs, rtt } = path;
      const { schedule, tick_ms: tickMs, tmax_ms: tmaxMs } = summary.parameters;
      const rttMaxNs = rtt?.max_ns ?? null;
      const sender = { counts, direction, intervalMs, schedule, tickMs, tmaxMs, rttMaxNs, end };
      const { verdict, sent, tolerance } = reconcile(sender, { session, end });
      return { path, session, sent, tolerance, verdict };
    });
  }

  it('agree on every probe when none is lost', async () => {
    await windows(1);
    for (const [from, to] of [POPS, POPS.toReversed()] as [string, string][]) {
      for (const { path, session, sent, tolerance, verdict } of endsOf(from, to)) {
        expect(path.counts).toMatchObject({ lost: 0, void: 0 });
        expect(sent).toBeGreaterThan(200);
        expect(Math.abs(session.received - sent)).toBeLessThanOrEqual(tolerance);
        expect(session.replied).toBe(session.received);
        expect(verdict).toBe('agrees');
      }
    }
  });

  it('agree on what was lost on the way there: it was sent, and never received', async () => {
    dropEvery(5, 'input', `ip saddr ${HKG1} udp dport 8620`);
    await windows(2);
    for (const { path, session, sent, tolerance, verdict } of endsOf('hkg1', 'sin1')) {
      const forward = path.loss_direction?.forward ?? 0;
      expect(path.counts.lost).toBeGreaterThan(sent / 10);
      expect(path.loss_direction).toMatchObject({ reverse: 0, unresolved: 0 });
      expect(Math.abs(sent - forward - session.received)).toBeLessThanOrEqual(tolerance);
      expect(session.replied).toBe(session.received);
      expect(verdict).toBe('agrees');
    }
    for (const { verdict } of endsOf('sin1', 'hkg1')) expect(verdict).toBe('agrees');
  });

  it('agree on what was lost on the way back: it was received and answered', async () => {
    dropEvery(5, 'input', `ip daddr ${HKG1} udp sport 8620`);
    await windows(2);
    for (const { path, session, sent, tolerance, verdict } of endsOf('hkg1', 'sin1')) {
      const reverse = path.loss_direction?.reverse ?? 0;
      expect(path.counts.lost).toBeGreaterThan(sent / 10);
      expect(path.loss_direction).toMatchObject({ forward: 0, unresolved: 0 });
      expect(Math.abs(session.received - sent)).toBeLessThanOrEqual(tolerance);
      expect(session.replied).toBe(session.received);
      expect(Math.abs(session.replied - path.counts.received - reverse)).toBeLessThanOrEqual(tolerance);
      expect(verdict).toBe('agrees');
    }
  });

  it('tell what the reflector did not answer: received, not replied, and no loss on the way back', async () => {
    dropEvery(3, 'output', `ip saddr ${SIN1} udp sport 8620`);
    await windows(2);
    for (const { path, session, sent, tolerance, verdict } of endsOf('hkg1', 'sin1')) {
      expect(path.loss_direction).toMatchObject({ reverse: 0, unresolved: 0 });
      expect(Math.abs(session.received - sent)).toBeLessThanOrEqual(tolerance);
      // Not a third of them: a reply refused in the middle of a batch is tried again, and the rule counts anew.
      expect(session.received - session.replied).toBeGreaterThan(0);
      expect(Math.abs(session.replied - path.counts.received)).toBeLessThanOrEqual(tolerance);
      expect(verdict).toBe('agrees');
    }
  });
});
