/** Memory of the real agent program with 1,000 and 2,000 paths, while its collector is away and it spools. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { planReflector } from '../src/agent/plan-reflector.ts';
import { AGENT_RUNTIME } from '../src/cli/agent-runtime.ts';
import { benchMesh, SELF, writeConfiguration } from './mesh.ts';
import { FAR, NEAR } from './namespaces.ts';
import type { PeersRequest } from './peers-process.ts';
import { memoryMb } from './proc.ts';
import { nextMessage, type RunningProgram, start, startOwn } from './processes.ts';
import { atMost, info, type Row } from './report.ts';
import { SETTINGS, TARGETS } from './settings.ts';

/** The built program: this file runs as .bench/bench/agent.js. */
const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The answer is read and not shown. */
const ASK = { maxBuffer: 64 * 1024 * 1024 };

/** The discard port, where nobody listens. */
const NO_COLLECTOR = 'http://127.0.0.1:9/';

const REFLECTOR = { mode: 'stateful', packetsPerSecondPerSession: 200, twampSenders: [] } as const;

/** Configuration, key and spool go to a folder in this one. */
export async function benchAgent(folder: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { flows, rssMbMax } of TARGETS.agents) rows.push(...(await benchSize(folder, flows, rssMbMax)));
  return rows;
}

async function benchSize(parent: string, flows: number, rssMbMax: number): Promise<Row[]> {
  const { settleMs, afterSealMs, windows, intervalMs } = SETTINGS.agent;
  const paths = SETTINGS.targets * (flows + 1);
  const folder = join(parent, `agent-${paths}`);
  mkdirSync(folder);
  const mesh = benchMesh({ peers: SETTINGS.targets, flows, windowS: SETTINGS.agent.windowS, intervalMs });
  const config = writeConfiguration(folder, mesh, NO_COLLECTOR);
  execFileSync(process.execPath, [PROGRAM, 'keygen', SELF, '--out', folder], { stdio: 'ignore' });
  const peers = await startPeers(mesh, flows);
  const agent = start({
    namespace: NEAR,
    command: process.execPath,
    args: [...AGENT_RUNTIME.nodeFlags, PROGRAM, 'agent', '--config', config],
    environment: AGENT_RUNTIME.environment,
  });
  await agent.wrote(/"msg":"probing"/);
  await sleep(settleMs);
  const settled = memoryMb(agent.pid);
  await windowsSealed(agent, windows);
  await sleep(afterSealMs);
  const sealed = memoryMb(agent.pid);
  execFileSync(process.execPath, [PROGRAM, 'status', '--json', '--config', config], ASK);
  const { peak } = memoryMb(agent.pid);
  const summary = largestFile(join(folder, 'spool'));
  await agent.stop('SIGTERM');
  await peers.stop('SIGKILL');
  const name = `Agent with ${paths} paths at ${(paths * 1000) / intervalMs}/s`;
  return [
    info(`${name}: RSS ${settleMs / 1000} s after its start`, mb(settled.rss)),
    info(`${name}: RSS ${afterSealMs / 1000} s after a window was sealed`, mb(sealed.rss)),
    info(`${name}:   of it no file's (RssAnon, RssShmem)`, mb(sealed.own)),
    atMost(`${name}: highest RSS: start, ${windows} windows, a question`, peak, rssMbMax, 'MB'),
    info(`${name}: octets of the spooled summary`, String(summary)),
  ];
}

function mb(value: number): string {
  return `${value.toFixed(1)} MB`;
}

async function startPeers(mesh: ReturnType<typeof benchMesh>, flows: number): Promise<RunningProgram> {
  const peers = startOwn(FAR, './peers-process.js');
  const plans = mesh.pops
    .filter((pop) => pop.name !== SELF)
    .map((pop) => planReflector(mesh, pop, REFLECTOR, { of: () => [] }));
  // A PoP's peers also probe one another; only the agent's probes arrive here.
  const ofSelf = plans.map((plan) => ({ ...plan, sessions: plan.sessions.slice(0, flows) }));
  const ready = nextMessage(peers);
  peers.child.send({ plans: ofSelf, payloadBytes: SETTINGS.stampBytes } satisfies PeersRequest);
  await ready;
  return peers;
}

/** Until the agent has sealed so many windows, the first of which its start has cut short. */
async function windowsSealed(agent: RunningProgram, count: number): Promise<void> {
  const deadline = Date.now() + count * SETTINGS.agent.sealTimeoutMs;
  while (agent.stdout.split('"msg":"window sealed"').length <= count) {
    if (Date.now() > deadline)
      throw new Error(`too few windows sealed; the agent said: ${agent.stdout}${agent.stderr}`);
    await sleep(100);
  }
}

function largestFile(folder: string): number {
  const sizes = readdirSync(folder).map((file) => statSync(join(folder, file)).size);
  return Math.max(...sizes);
}
