/** The life of a lab: what a NOC does with it while it runs, and that nothing of it stays, however it ends. */

import { execFileSync, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Mesh } from '../../src/collector/mesh.ts';
import { because, labMissing, RunningLab, THREE_POPS } from './lab-rig.ts';

const missing = labMissing();
const RUN_MS = 90_000;
const SCENARIO = `${THREE_POPS}name: life\nseed: 1\n`;

function namespaces(): string[] {
  return execFileSync('ip', ['netns'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
}

function namespacesOf(lab: RunningLab): string[] {
  return namespaces().filter((name) => name.startsWith(`popprobe-lab.${lab.name}.`));
}

/** Ids of all programs that run for the lab, itself included. */
function programsOf(lab: RunningLab): number[] {
  const { stdout } = spawnSync('pgrep', ['-f', `main.js .*${lab.folder}`], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

async function untilGone(lab: RunningLab): Promise<void> {
  for (let tries = 0; tries < 200 && programsOf(lab).length > 0; tries += 1) await sleep(50);
  expect(programsOf(lab)).toEqual([]);
}

describe.skipIf(missing !== null)(`a lab${because(missing)}`, { timeout: RUN_MS }, () => {
  it('shows its collector on 127.0.0.1 while the collector is cut off, and traces through its routers', async () => {
    const lab = await RunningLab.start('look', `${SCENARIO}events: [{ at_s: 0, isolate: collector }]\n`);
    const mesh = (await (await fetch(`${lab.url}/api/v1/mesh`)).json()) as Mesh;
    expect(mesh.pops.map(({ pop }) => pop)).toEqual(['hkg1', 'sin1', 'tyo1']);
    const trace = lab.popprobe('trace', 'sin1', '--socket', lab.state('hkg1.sock'));
    const hops = [1, 2, 3].map((hop) => `198.19.1.${1 + (hop - 1) * 12}`);
    for (const hop of [...hops, '198.19.2.129', '198.19.2.141', '198.18.2.1']) expect(trace).toContain(hop);
    expect(await lab.interrupt()).toBe(1);
    expect(lab.said).toContain('nothing_accepted');
    expect(namespacesOf(lab)).toEqual([]);
    await untilGone(lab);
  });

  it('ends with Ctrl-C, status 0, and leaves nothing', async () => {
    const lab = await RunningLab.start('ctrl-c', SCENARIO);
    expect(namespacesOf(lab)).toHaveLength(4);
    await lab.accepted();
    expect(await lab.interrupt()).toBe(0);
    expect(namespacesOf(lab)).toEqual([]);
    await untilGone(lab);
  });

  it('that is killed leaves what the next one of its name removes, and nothing else', async () => {
    const other = `popprobe-lab.other-${process.pid}.hkg1`;
    execFileSync('ip', ['netns', 'add', other]);
    onTestFinished(() => void execFileSync('ip', ['netns', 'delete', other]));
    const killed = await RunningLab.start('killed', SCENARIO);
    killed.process.kill('SIGKILL');
    await untilGone(killed);
    expect(namespacesOf(killed)).toHaveLength(4);
    const next = await RunningLab.start('killed', SCENARIO);
    await next.accepted();
    expect(await next.interrupt()).toBe(0);
    expect(namespacesOf(next)).toEqual([]);
    expect(namespaces()).toContain(other);
  });

  it.each([
    ['forwarder', 'lab-forwarder'],
    ['sin1', 'agent .*sin1.yaml'],
  ])('ends with the reason when its %s crashes', async (name, pattern) => {
    const lab = await RunningLab.start(`crash-${name}`, SCENARIO);
    const pid = Number(execFileSync('pgrep', ['-f', `main.js ${pattern}.*`, '--newest'], { encoding: 'utf8' }));
    process.kill(pid, 'SIGKILL');
    expect(await lab.ended).toBe(1);
    expect(lab.said).toContain(`expected ${name} to keep running`);
    expect(namespacesOf(lab)).toEqual([]);
    await untilGone(lab);
  });

  it('finds a loss that the network did not make, and ends with status 1', async () => {
    const lab = await RunningLab.start('firewall', SCENARIO, ['--for', '12s', '--verify']);
    const rules = `add table ip lossy
add chain ip lossy in { type filter hook input priority 0; }
add rule ip lossy in ip protocol icmp icmp type echo-reply numgen random mod 4 0 drop
`;
    execFileSync('ip', ['netns', 'exec', `popprobe-lab.${lab.name}.hkg1`, 'nft', '-f', '-'], { input: rules });
    expect(await lab.ended).toBe(1);
    expect(lab.shown).toMatch(/differs: hkg1 → sin1: .*lost/);
    expect(lab.shown).toMatch(/sin1 → tyo1 .* ok$/m);
    expect(lab.shown).toMatch(/verdict: differs, 2 of 6 pairs and 0 other reasons\n$/);
  });

  it('is refused where another one of its name runs, which goes on', async () => {
    const lab = await RunningLab.start('twice', SCENARIO);
    const second = new RunningLab('twice', SCENARIO);
    expect(await second.ended).toBe(1);
    expect(second.said).toContain('[lab_running]');
    expect(namespacesOf(lab)).toHaveLength(4);
    await lab.accepted();
    expect(await lab.interrupt()).toBe(0);
  });

  it('is refused where its port is taken, and leaves nothing', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const lab = new RunningLab('port', SCENARIO, { port });
    expect(await lab.ended).toBe(1);
    expect(lab.said).toContain('[port_taken]');
    expect(namespacesOf(lab)).toEqual([]);
  });

  it('is refused with every mistake of its scenario', async () => {
    const lab = new RunningLab('wrong', SCENARIO.replace('seed: 1', 'sed: 1').replace('delay_ms', 'delay_m'));
    expect(await lab.ended).toBe(1);
    expect(lab.said).toMatch(/did you mean "seed"/);
    expect(lab.said).toMatch(/did you mean "delay_ms"/);
  });
});
