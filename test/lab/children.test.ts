/** Children as real processes: their death is told with their last words, their end is certain, their warnings are kept. */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { PopprobeError } from '../../src/base/errors.ts';
import { Children } from '../../src/lab/children.ts';
import { temporaryFolder } from '../agent/spool-fixture.ts';

const PROGRAM = fileURLToPath(new URL('child.js', import.meta.url));
const WAIT = { timeout: 20_000 };

async function startRig(stopGraceMs?: number) {
  const folder = await temporaryFolder();
  const children = new Children(PROGRAM, folder, stopGraceMs);
  onTestFinished(() => children.stop());
  const log = (name: string): Promise<string> => readFile(join(folder, `${name}.log`), 'utf8');
  return { children, folder, log };
}

async function deathOf(children: Children): Promise<PopprobeError> {
  const [error] = (await once(children, 'died')) as [PopprobeError];
  return error;
}

/** Waits until that many children have said that they are up; returns their process ids. */
async function pids(children: Children, count: number): Promise<number[]> {
  await vi.waitFor(() => expect(children.notices).toHaveLength(count), WAIT);
  return children.notices.map((notice) => Number(notice.split(' ').at(-1)));
}

function expectGone(pid: number): void {
  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
}

/** A line as the agent's logger writes it. */
function logLine(level: number, msg: string): string {
  return JSON.stringify({ level, msg });
}

describe('a child that dies early', () => {
  it('is told of with its exit status, its last words and its log', async () => {
    const { children, folder, log } = await startRig();
    children.start('sin1', ['die', 'no', 'such', 'mesh']);
    const { code, expected, found, remedy } = await deathOf(children);
    expect({ code, expected, found, remedy }).toEqual({
      code: 'child_failed',
      expected: 'sin1 to keep running',
      found: 'it ended with 3: no such mesh',
      remedy: `read ${folder}/sin1.log`,
    });
    await vi.waitFor(async () => expect(await log('sin1')).toBe('no such mesh'), WAIT);
  });

  it('is told of with the signal, if it was one', async () => {
    const { children } = await startRig();
    children.start('sin1', ['die-by-signal']);
    expect((await deathOf(children)).found).toBe('it ended with SIGKILL');
  });

  it('is heard to the end: words that were still in the pipe are not missed', async () => {
    const { children, log } = await startRig();
    children.start('sin1', ['leave-words']);
    expect((await deathOf(children)).found).toBe('it ended with SIGKILL: last words');
    await vi.waitFor(async () => expect(await log('sin1')).toBe('last words'), WAIT);
  });
});

describe('stop', () => {
  it('ends all children, lets them tidy up, and calls none of it a death', async () => {
    const { children, log } = await startRig();
    const died = vi.fn<(error: PopprobeError) => void>();
    children.on('died', died);
    for (const name of ['hkg1', 'sin1']) children.start(name, ['tidy']);
    const running = await pids(children, 2);
    await children.stop();
    for (const pid of running) expectGone(pid);
    for (const name of ['hkg1', 'sin1']) {
      await vi.waitFor(async () => expect(await log(name)).toContain('tidied up'), WAIT);
    }
    expect(died).not.toHaveBeenCalled();
  });

  it('kills one that ignores SIGTERM', async () => {
    const { children } = await startRig(100);
    children.start('deaf', ['deaf']);
    const [pid = 0] = await pids(children, 1);
    await children.stop();
    expectGone(pid);
  });

  it('is at once done with children that have ended, and with none', async () => {
    const { children } = await startRig();
    await expect(children.stop()).resolves.toBeUndefined();
    const other = await startRig();
    other.children.start('sin1', ['die']);
    await deathOf(other.children);
    await expect(other.children.stop()).resolves.toBeUndefined();
  });
});

describe('warnings', () => {
  it('are collected once each, with the children that gave them; everything is in their logs', async () => {
    const { children, log } = await startRig();
    const lines = [
      logLine(30, 'all is well'),
      'not a line of the log',
      'null',
      '{"level":"40","msg":"not a level"}',
      '{"level":50}',
      logLine(40, 'no ICMP probes'),
      logLine(40, 'no ICMP probes'),
      logLine(60, 'it is over'),
    ];
    for (const name of ['hkg1', 'sin1']) children.start(name, ['say', ...lines]);
    await vi.waitFor(() => {
      expect(children.notices.map((notice) => notice.replace('sin1, hkg1', 'hkg1, sin1'))).toEqual([
        'hkg1, sin1: no ICMP probes',
        'hkg1, sin1: it is over',
      ]);
    }, WAIT);
    await children.stop();
    await vi.waitFor(async () => expect(await log('sin1')).toBe(`${lines.join('\n')}\n`), WAIT);
  });

  it('are the latest five', async () => {
    const { children } = await startRig();
    const warnings = Array.from({ length: 9 }, (_, index) => `warning ${index}`);
    children.start('sin1', ['say', ...warnings.map((warning) => logLine(40, warning))]);
    const latest = warnings.slice(-5).map((warning) => `sin1: ${warning}`);
    await vi.waitFor(() => expect(children.notices).toEqual(latest), WAIT);
  });
});
