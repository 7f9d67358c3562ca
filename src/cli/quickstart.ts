/** The quickstart mesh: one collector and three agents as child processes, and what the collector holds, live. */

import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Mesh } from '../collector/mesh.ts';
import { loadCollectorConfig } from '../config/collector-config.ts';
import { writeKeyPair } from '../config/key-pair.ts';
import { Children } from '../lab/children.ts';
import { untilAnswering } from '../lab/until-answering.ts';
import { AGENT_RUNTIME } from './agent-runtime.ts';
import { endReason, requireAccepted, watchMesh } from './mesh-watch.ts';
import { requireConfig } from './require-config.ts';

const POPS = ['hkg1', 'sin1', 'lax1'];
const WINDOW_S = 10;

/**
 * Runs the mesh until a signal, or for `forMs`. Every run begins with empty folders and its own keys.
 * Throws child_failed when a program of the mesh ends early, nothing_accepted when no summary was accepted.
 */
export async function runQuickstart(forMs: number | undefined): Promise<void> {
  const folder = fileURLToPath(new URL('../../config/quickstart/', import.meta.url));
  const state = fileURLToPath(new URL('../../var/quickstart/', import.meta.url));
  const program = fileURLToPath(new URL('../main.js', import.meta.url));
  await rm(state, { recursive: true, force: true });
  await mkdir(`${state}log`, { recursive: true });
  for (const pop of POPS) await writeKeyPair(`${state}keys`, pop);
  const { listen } = requireConfig(loadCollectorConfig(`${folder}collector.yaml`));
  await watch(new Children(program, `${state}log`), folder, `http://${listen.host}:${listen.port}`, forMs);
}

async function watch(children: Children, folder: string, url: string, forMs: number | undefined): Promise<void> {
  const ending = new AbortController();
  const ended = endReason(children, forMs, ending.signal).finally(() => ending.abort());
  let newest: Mesh | null = null;
  try {
    children.start('collector', ['collector', '--config', `${folder}collector.yaml`]);
    await Promise.race([untilAnswering(url, 'var/quickstart/log/collector.log', ending.signal), ended]);
    for (const pop of POPS) children.start(pop, ['agent', '--config', `${folder}${pop}.yaml`], AGENT_RUNTIME);
    const title = `popprobe quickstart: ${POPS.length} PoPs on 127.0.1.1 to 127.0.1.3, windows of ${WINDOW_S} s, collector on ${url}`;
    newest = await watchMesh({ url, children, title, windowS: WINDOW_S }, ending.signal);
    await ended;
  } finally {
    ending.abort();
    await children.stop();
  }
  requireAccepted(newest, WINDOW_S, 'var/quickstart/log');
}
