/** `popprobe start` as a newcomer runs it: the lab, or the quickstart mesh on loopback, its table, its end. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { because, labMissing } from './lab-rig.ts';

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

describe.skipIf(process.platform !== 'linux')('popprobe start on loopback (needs Linux)', () => {
  it('shows every ordered pair from what the collector accepted, and ends by itself with status 0', async () => {
    const { code, out, err } = await start(['--loopback', '--for', '22s']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n')[0]).toBe('popprobe start: a mesh on loopback instead of the lab (as asked for)');
    const table = out.slice(out.lastIndexOf('from → to')).split('\n');
    expect(table.slice(1, 7).map((line) => line.slice(0, 11))).toEqual(PAIRS);
    for (const line of table.slice(1, 7)) expect(line).toMatch(/ (µs|ns|ms) .* stamp .* %  .* s ago$/);
    expect(survivors()).toEqual([]);
  });

  it('ends everything at Ctrl-C', async () => {
    const { out } = await start(['--loopback'], /waiting for the first window/);
    expect(out).toContain('hkg1 → sin1');
    expect(survivors()).toEqual([]);
  });

  it('says why it failed when no summary was accepted, and when its time makes no sense', async () => {
    const short = await start(['--loopback', '--for', '1s']);
    expect(short.code).toBe(1);
    expect(short.err).toMatch(/at least one summary accepted .* \[nothing_accepted\]/);
    const wrong = await start(['--for', 'soon']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('expected a number and s, m or h, such as 30s');
    expect(survivors()).toEqual([]);
  });
});

const missing = labMissing();

describe.skipIf(missing !== null)(`popprobe start with the lab${because(missing)}`, () => {
  it('runs eight PoPs, shows all 56 pairs, and removes everything', { timeout: 90_000 }, async () => {
    const { code, out, err } = await start(['--for', '25s']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).not.toContain('instead of the lab');
    const rows = out.slice(out.lastIndexOf('from → to')).split('\n').slice(1, 57);
    for (const row of rows) expect(row).toMatch(/^\w{4} → \w{4} .* ms .* stamp .* %  .* s ago$/);
    expect(execFileSync('ip', ['netns'], { encoding: 'utf8' })).not.toContain('popprobe-lab.lab.');
  });
});
