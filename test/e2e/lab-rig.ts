/** Runs `popprobe lab --verify` as a real program with a scenario of the test's own, and reads what it leaves. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import type { Verification } from '../../src/lab/verify.ts';
import { parseSummary } from '../../src/protocol/parse-summary.ts';
import type { Summary, SummaryPath } from '../../src/protocol/summary.ts';
import { rootMissing } from '../linux/privileges.ts';
import { freePort } from './free-port.ts';

/** Ports of labs that run one after the other within a test file. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Why labs cannot run here, or null. */
export function labMissing(): string | null {
  const missing = rootMissing();
  if (missing !== null) return missing;
  if (!existsSync('/dev/net/tun')) return 'needs /dev/net/tun';
  return spawnSync('ip', ['-V']).status === 0 ? null : 'needs iproute2';
}

/** What a skipped block adds to its name. */
export function because(missing: string | null): string {
  return missing === null ? '' : ` (${missing})`;
}

export interface LabRun {
  status: number | null;
  verification: Verification;
  /** The table and whatever went wrong, for a message. */
  said: string;
  /** Every document that the collector has stored, by PoP and sequence number. */
  documents: Summary[];
  folder: string;
}

/** Scenarios of three PoPs: dense probes, so that little time shows much. */
export const THREE_POPS = `schema: popprobe.lab/1
window_s: 5
pops: [{ name: hkg1 }, { name: sin1 }, { name: tyo1 }]
probes:
  - { name: icmp, kind: icmp, interval_ms: 200 }
  - { name: stamp, kind: stamp, interval_ms: 100, flows: 4 }
defaults: { delay_ms: 10 }
`;

/** A lab that runs until it is told to end; it goes with the test. */
export class RunningLab {
  readonly name: string;
  readonly folder: string;
  readonly process: ChildProcess;
  /** Resolves with its exit status; null when it was killed. */
  readonly ended: Promise<number | null>;
  /** What it has written to standard error so far. */
  said = '';
  readonly #port: number;
  /** What it has written to standard output so far. */
  shown = '';

  /** Two labs with the same name in one test are the same lab to the machine. */
  constructor(
    name: string,
    scenario: string,
    { port = 0, more = [] }: { port?: number; more?: readonly string[] } = {},
  ) {
    this.name = `${name}-${process.pid}`;
    this.folder = mkdtempSync(join(tmpdir(), `popprobe-lab-${name}-`));
    this.#port = port === 0 ? FIRST_PORT + (process.pid % PORTS) : port;
    writeFileSync(this.state('scenario.yaml', ''), scenario);
    const options = ['--name', this.name, '--port', String(this.#port), '--folder', this.state('', 'state')];
    const args = [PROGRAM, 'lab', '--scenario', this.state('scenario.yaml', ''), ...options, ...more];
    this.process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout?.on('data', (data: Buffer) => (this.shown += String(data)));
    this.process.stderr?.on('data', (data: Buffer) => (this.said += String(data)));
    this.ended = once(this.process, 'close').then(() => this.process.exitCode);
    onTestFinished(async () => {
      if (this.process.exitCode === null && this.process.signalCode === null) await this.interrupt();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Resolves when all its agents probe. */
  static async start(name: string, scenario: string, more: readonly string[] = []): Promise<RunningLab> {
    const lab = new RunningLab(name, scenario, { more });
    await lab.#showed(/as of|waiting/);
    return lab;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Path of one of its files. */
  state(file: string, folder = 'state'): string {
    return join(this.folder, folder, file);
  }

  /** Resolves when its collector has accepted something. */
  accepted(): Promise<void> {
    return this.#showed(/as of/);
  }

  /** As Ctrl-C does; resolves with its exit status. */
  interrupt(): Promise<number | null> {
    this.process.kill('SIGINT');
    return this.ended;
  }

  /** Runs another command to its end and returns what it prints. */
  popprobe(...args: readonly string[]): string {
    return spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' }).stdout;
  }

  async #showed(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.shown)) {
      const more = this.process.stdout ? once(this.process.stdout, 'data') : this.ended;
      await Promise.race([more, this.ended]);
      if (this.process.exitCode !== null) throw new Error(`the lab ended: ${this.said}`);
    }
  }
}

/** Runs the scenario for a time and verifies it; removes its folder after the test file. */
export async function runLab(name: string, scenario: string, forS: number): Promise<LabRun> {
  const folder = mkdtempSync(join(tmpdir(), `popprobe-lab-${name}-`));
  const file = join(folder, 'scenario.yaml');
  writeFileSync(file, scenario);
  const state = join(folder, 'state');
  const options = ['--name', `${name}-${process.pid}`, '--port', String(await freePort()), '--folder', state];
  const args = ['lab', '--scenario', file, ...options, '--for', `${forS}s`, '--verify', '--json'];
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, said, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  const verification = JSON.parse(out.trim().split('\n').at(-1) ?? '') as Verification;
  return { status, verification, said, documents: documentsOf(join(state, 'collector.db')), folder };
}

export function removeRun(run: LabRun): void {
  rmSync(run.folder, { recursive: true, force: true });
}

/** What one PoP says of its paths to another, all windows from `sinceS` on together. */
export function pathsBetween({ documents }: LabRun, from: string, to: string, sinceS = 0): SummaryPath[] {
  return documents
    .filter(({ pop, window }) => pop === from && window.start_unix_s >= sinceS)
    .flatMap(({ peers }) => peers.filter(({ peer }) => peer === to).flatMap(({ paths }) => paths));
}

/** When a PoP's first window ends, Unix time: it is up for all that begins then. */
export function firstWindowEndS({ documents }: LabRun, of: string): number {
  const first = documents.find(({ pop }) => pop === of)?.window;
  if (first === undefined) throw new Error(`${of} has no document`);
  return first.start_unix_s + first.length_s;
}

function documentsOf(file: string): Summary[] {
  const database = new Database(file, { readonly: true });
  const select = `SELECT octets FROM document JOIN chain_row USING (pop, sequence)
    WHERE kind = 'summary' ORDER BY pop, sequence`;
  const rows = database.prepare(select).all() as { octets: Buffer }[];
  database.close();
  return rows.map(({ octets }) => parseSummary(octets));
}
