/** Watches a mesh that this command runs: what the collector holds, again and again, until it shall end. */

import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { PopprobeError } from '../base/errors.ts';
import type { Mesh } from '../collector/mesh.ts';
import type { Children } from '../lab/children.ts';
import { renderMesh } from './render-mesh.ts';
import { Screen } from './screen.ts';

const REFRESH_MS = 1000;
/** The cursor stands below the block. */
const CURSOR_ROWS = 1;

export interface Watched {
  /** Of the collector. */
  url: string;
  children: Children;
  /** The first line of what is shown. */
  title: string;
  windowS: number;
}

/** Resolves on a signal or when the time is over; rejects when a child dies. */
export async function endReason(children: Children, forMs: number | undefined, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    process.once('SIGHUP', resolve);
    children.once('died', reject);
    if (forMs !== undefined) sleep(forMs, undefined, { signal }).then(resolve, () => undefined);
  });
}

/** Shows the mesh again and again until `signal`; returns the last one seen. */
export async function watchMesh(watched: Watched, signal: AbortSignal): Promise<Mesh | null> {
  const screen = new Screen(process.stdout);
  let newest: Mesh | null = null;
  let printed = '';
  while (!signal.aborted) {
    newest = (await fetchMesh(watched.url)) ?? newest;
    // In a pipe the table is printed when a PoP has reported a new window, not each second.
    const windows = newest?.pops.map((pop) => pop.window_start).join() ?? '';
    if (newest && (screen.isLive || windows !== printed)) screen.show(lines(watched, newest, screen));
    printed = windows;
    await sleep(REFRESH_MS, undefined, { signal }).catch(() => undefined);
  }
  return newest;
}

/** Throws nothing_accepted when the collector has accepted no summary; `logs` is where to look. */
export function requireAccepted(mesh: Mesh | null, windowS: number, logs: string): void {
  if (hasAccepted(mesh)) return;
  throw new PopprobeError('nothing_accepted', {
    expected: 'at least one summary accepted by the collector',
    found: 'none',
    remedy: `let it run for longer than one window (${windowS} s), or read the logs in ${logs}`,
  });
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

function lines({ title, children, windowS }: Watched, mesh: Mesh, screen: Screen): string[] {
  const head = [
    '',
    title,
    hasAccepted(mesh) ? `as of ${mesh.generated_at}` : `waiting for the first window (up to ${windowS + 2} s) ...`,
    '',
  ];
  const foot = [
    '',
    ...children.notices.map((notice) => `! ${notice}`),
    'seconds: g good, b bad, u unknown. Ctrl-C ends everything.',
  ];
  return [...head, ...table(mesh, screen, [...head, ...foot]), ...foot];
}

/** What there is room for beside the other lines: a block higher than the terminal cannot be redrawn in place. */
function table(mesh: Mesh, screen: Screen, others: readonly string[]): string[] {
  const all = renderMesh(mesh);
  const { rows, columns } = screen.size;
  const rowsOf = (line: string): number => Math.max(1, Math.ceil(line.length / columns));
  const taken = others.reduce((sum, line) => sum + rowsOf(line), CURSOR_ROWS);
  const rowsPerLine = Math.max(...all.map(rowsOf));
  const linesMax = Math.floor((rows - taken) / rowsPerLine);
  return all.length <= linesMax ? all : renderMesh(mesh, linesMax);
}

function hasAccepted(mesh: Mesh | null): boolean {
  return mesh?.pops.some((pop) => pop.window_start !== null) ?? false;
}
