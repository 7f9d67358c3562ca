/** `popprobe start` as a newcomer runs it: the quickstart mesh, its table, its end. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const PAIRS = ['hkg1 → lax1', 'hkg1 → sin1', 'lax1 → hkg1', 'lax1 → sin1', 'sin1 → hkg1', 'sin1 → lax1'];

interface Run {
  code: number | null;
  out: string;
  err: string;
}

/** Runs `popprobe start`; `interrupt` sends it SIGINT as soon as its output matches. */
async function start(args: readonly string[], interrupt?: RegExp): Promise<Run> {
  const child = spawn(process.execPath, [PROGRAM, 'start', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let seen = '';
  child.stdout.on('data', (data: Buffer) => {
    seen += String(data);
    if (interrupt?.test(seen) === true) child.kill('SIGINT');
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, out, err };
}

/** Command lines of running processes that work on the quickstart mesh. */
function survivors(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        // The process ended between the two looks.
        return [];
      }
    })
    .filter((line) => line.includes('config/quickstart/'));
}

describe.skipIf(process.platform !== 'linux')('popprobe start (needs Linux)', () => {
  it('shows every ordered pair from what the collector accepted, and ends by itself with status 0', async () => {
    const { code, out, err } = await start(['--for', '22s']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const table = out.slice(out.lastIndexOf('from → to')).split('\n');
    expect(table.slice(1, 7).map((line) => line.slice(0, 11))).toEqual(PAIRS);
    for (const line of table.slice(1, 7)) expect(line).toMatch(/ (µs|ns|ms) .* stamp .* %  .* s ago$/);
    expect(survivors()).toEqual([]);
  });

  it('ends everything at Ctrl-C', async () => {
    const { out } = await start([], /waiting for the first window/);
    expect(out).toContain('hkg1 → sin1');
    expect(survivors()).toEqual([]);
  });

  it('says why it failed when no summary was accepted, and when its time makes no sense', async () => {
    const short = await start(['--for', '1s']);
    expect(short.code).toBe(1);
    expect(short.err).toMatch(/at least one summary accepted .* \[nothing_accepted\]/);
    const wrong = await start(['--for', 'soon']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('expected a number and s, m or h, such as 30s');
    expect(survivors()).toEqual([]);
  });
});
