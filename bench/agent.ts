/** Memory of the real agent program with 1,000 paths, while its collector is away and it spools. */

import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { planReflector } from '../src/agent/plan.ts';
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

/** The discard port, where nobody listens. */
const NO_COLLECTOR = 'http://127.0.0.1:9/';

/** Configuration, key and spool go to the folder. */
export async function benchAgent(folder: string): Promise<Row[]> {
  const { windowS, intervalMs, settleMs, afterSealMs } = SETTINGS.agent;
  const mesh = benchMesh({ peers: SETTINGS.targets, windowS, intervalMs });
  const config = writeConfiguration(folder, mesh, NO_COLLECTOR);
  execFileSync(process.execPath, [PROGRAM, 'keygen', SELF, '--out', folder], { stdio: 'ignore' });
  const peers = await startPeers(mesh);
  const agent = start({
    namespace: NEAR,
    command: process.execPath,
    args: [...AGENT_RUNTIME.nodeFlags, PROGRAM, 'agent', '--config', config],
    environment: AGENT_RUNTIME.environment,
  });
  await agent.wrote(/"msg":"probing"/);
  await sleep(settleMs);
  const settled = memoryMb(agent.pid);
  await windowSealed(agent);
  await sleep(afterSealMs);
  const sealed = memoryMb(agent.pid);
  const summary = largestFile(join(folder, 'spool'));
  await agent.stop('SIGTERM');
  await peers.stop('SIGKILL');
  const paths = SETTINGS.targets * (SETTINGS.flows + 1);
  return [
    info('Agent: paths, probes/s', `${paths}, ${(paths * 1000) / intervalMs}`),
    atMost(`Agent: RSS ${settleMs / 1000} s after its start`, settled.rss, TARGETS.agentRssMbMax, 'MB'),
    atMost('Agent: RSS after a window was sealed and spooled', sealed.rss, TARGETS.agentRssMbMax, 'MB'),
    info('Agent: highest RSS until then', `${sealed.peak.toFixed(1)} MB`),
    info('Agent: octets of the spooled summary', String(summary)),
  ];
}

async function startPeers(mesh: ReturnType<typeof benchMesh>): Promise<RunningProgram> {
  const peers = startOwn(FAR, './peers-process.js');
  const plans = mesh.pops.filter((pop) => pop.name !== SELF).map((pop) => planReflector(mesh, pop));
  // A PoP's peers also probe one another; only the agent's probes arrive here.
  const ofSelf = plans.map((plan) => ({ ...plan, sessions: plan.sessions.slice(0, SETTINGS.flows) }));
  const ready = nextMessage(peers);
  peers.child.send({ plans: ofSelf, payloadBytes: SETTINGS.stampBytes } satisfies PeersRequest);
  await ready;
  return peers;
}

/** The next window the agent seals; any earlier one may have been cut short by the start. */
async function windowSealed(agent: RunningProgram): Promise<void> {
  const seals = (): number => agent.stdout.split('"msg":"window sealed"').length;
  const [before, deadline] = [seals(), Date.now() + SETTINGS.agent.sealTimeoutMs];
  while (seals() === before) {
    if (Date.now() > deadline) throw new Error(`the agent sealed no window; it said: ${agent.stdout}${agent.stderr}`);
    await sleep(100);
  }
}

function largestFile(folder: string): number {
  const sizes = readdirSync(folder).map((file) => statSync(join(folder, file)).size);
  return Math.max(...sizes);
}
