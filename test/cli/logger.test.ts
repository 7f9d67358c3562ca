/** The log of a daemon on a disk that is full: lines wait or are lost, and the daemon goes on. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../agent/spool-fixture.ts';
import { fill, mountTmpfs } from '../agent/small-disk.ts';
import { rootMissing } from '../linux/privileges.ts';

/** A process that logs with the program's own logger, as this script says, to this file. */
function logging(script: string, stdout: number): ChildProcessByStdio<Writable, null, Readable> {
  const source = `import { makeLogger } from './dist/cli/logger.js'; const log = await makeLogger('info'); ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { stdio: ['pipe', stdout, 'pipe'] });
  return child as ReturnType<typeof logging>;
}

interface Line {
  msg: string;
  at?: number;
  lines?: number;
}

/** What is in the log of a process that logs on a full disk, and again once there is room: two scripts. */
async function logOnFullDisk(full: string, afterwards: string): Promise<Line[]> {
  const disk = mountTmpfs(await temporaryFolder(), 'size=256k');
  const file = join(disk, 'log');
  const descriptor = openSync(file, 'a');
  const ballast = await fill(disk);
  const script =
    `import { once } from 'node:events'; ${full} console.error('logged'); ` +
    `process.stdin.resume(); await once(process.stdin, 'end'); ${afterwards}`;
  const child = logging(script, descriptor);
  const ended = once(child, 'exit');
  await once(child.stderr, 'data');
  await rm(ballast);
  child.stdin.end();
  expect(await ended).toEqual([0, null]);
  closeSync(descriptor);
  const written = readFileSync(file, 'utf8').trim().split('\n');
  return written.map((line) => JSON.parse(line) as Line);
}

describe.runIf(process.platform === 'linux')('a log that cannot be written', () => {
  it('ends nobody, not even while the daemon says why it cannot go on', async () => {
    const full = openSync('/dev/full', 'w');
    const script =
      "for (let at = 0; at < 9999; at += 1) log.info('x'.repeat(100)); log.fatal('dying'); process.exit(3);";
    const child = logging(script, full);
    const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect({ status: status as number, stderr }).toEqual({ status: 3, stderr: '' });
    closeSync(full);
  });

  it.skipIf(rootMissing())(`is written when there is room again (${rootMissing() ?? 'as root'})`, async () => {
    const lines = await logOnFullDisk("log.info('first');", "log.info('second');");
    expect(lines.map(({ msg }) => msg)).toEqual(['first', 'second']);
  });

  it.skipIf(rootMissing())(`says how many lines were lost (${rootMissing() ?? 'as root'})`, async () => {
    const lines = await logOnFullDisk(
      "for (let at = 0; at < 999; at += 1) log.info({ at }, 'x'.repeat(200));",
      "log.info('last'.repeat(200));",
    );
    const kept = lines.filter(({ at }) => at !== undefined).map(({ at }) => at);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, at) => at));
    const after = lines.slice(kept.length);
    expect(after.map(({ msg }) => msg.slice(0, 14))).toEqual(['lastlastlastla', 'log lines lost']);
    expect(after[1]?.lines).toBe(999 - kept.length);
  });
});
