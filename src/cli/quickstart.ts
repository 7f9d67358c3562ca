/** The quickstart mesh: one collector and three agents as child processes, and what the collector holds, live. */

import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { PopprobeError } from '../base/errors.ts';
import { MS_PER_S } from '../base/units.ts';
import type { Mesh } from '../collector/mesh.ts';
import { loadCollectorConfig } from '../config/collector-config.ts';
import { writeKeyPair } from '../config/key-pair.ts';
import { AGENT_RUNTIME } from './agent-runtime.ts';
import { Children } from './children.ts';
import { renderMesh } from './render-mesh.ts';
import { requireConfig } from './require-config.ts';
import { Screen } from './screen.ts';

const POPS = ['hkg1', 'sin1', 'lax1'];
const REFRESH_MS = 1000;
const COLLECTOR_START_MS = 15_000;

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
    await Promise.race([collectorReady(url, ending.signal), ended]);
    for (const pop of POPS) children.start(pop, ['agent', '--config', `${folder}${pop}.yaml`], AGENT_RUNTIME);
    newest = await showUntil(url, children, ending.signal);
    await ended;
  } finally {
    ending.abort();
    await children.stop();
  }
  if (!hasAccepted(newest)) throw nothingAccepted();
}

/** Resolves on a signal or when the time is over; rejects when a child dies. */
async function endReason(children: Children, forMs: number | undefined, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    process.once('SIGHUP', resolve);
    children.once('died', reject);
    if (forMs !== undefined) sleep(forMs, undefined, { signal }).then(resolve, () => undefined);
  });
}

async function collectorReady(url: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + COLLECTOR_START_MS;
  while (Date.now() < deadline && !signal.aborted) {
    if (await isAnswering(`${url}/healthz`)) return;
    await sleep(50);
  }
  throw new PopprobeError('child_failed', {
    expected: `the collector to answer on ${url} within ${COLLECTOR_START_MS / MS_PER_S} s`,
    found: 'no answer',
    remedy: 'read var/quickstart/log/collector.log',
  });
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url);
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}

/** Shows the mesh again and again until `signal`; returns the last one seen. */
async function showUntil(url: string, children: Children, signal: AbortSignal): Promise<Mesh | null> {
  const screen = new Screen(process.stdout);
  let newest: Mesh | null = null;
  let printed = '';
  while (!signal.aborted) {
    newest = (await fetchMesh(url)) ?? newest;
    // In a pipe the table is printed when a PoP has reported a new window, not each second.
    const windows = newest?.pops.map((pop) => pop.window_start).join() ?? '';
    if (newest && (screen.isLive || windows !== printed)) screen.show(lines(url, newest, children.notices));
    printed = windows;
    await sleep(REFRESH_MS, undefined, { signal }).catch(() => undefined);
  }
  return newest;
}

async function fetchMesh(url: string): Promise<Mesh | null> {
  try {
    const { body } = await request(`${url}/api/v1/mesh`);
    return (await body.json()) as Mesh;
  } catch {
    // The collector is busy or gone; if it is gone for good, its end is reported by its exit.
    return null;
  }
}

function lines(url: string, mesh: Mesh, notices: readonly string[]): string[] {
  return [
    '',
    `popprobe quickstart: ${POPS.length} PoPs on 127.0.1.1 to 127.0.1.3, windows of 10 s, collector on ${url}`,
    hasAccepted(mesh) ? `as of ${mesh.generated_at}` : 'waiting for the first window (up to 12 s) ...',
    '',
    ...renderMesh(mesh),
    '',
    ...notices.map((notice) => `! ${notice}`),
    'seconds: g good, b bad, u unknown. Ctrl-C ends everything.',
  ];
}

function hasAccepted(mesh: Mesh | null): boolean {
  return mesh?.pops.some((pop) => pop.documents > 0) ?? false;
}

function nothingAccepted(): PopprobeError {
  return new PopprobeError('nothing_accepted', {
    expected: 'at least one summary accepted by the collector',
    found: 'none',
    remedy: 'let it run for longer than one window (10 s), or read the logs in var/quickstart/log',
  });
}
