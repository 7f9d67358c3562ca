/**
 * The benchmarks: `npm run bench` runs all parts, `npm run bench -- cpu accuracy` some of them. Needs root on Linux.
 * Exit status: 0 when every target is met, 1 when one is missed, 2 when the benchmarks could not run.
 */

import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchAccuracy } from './accuracy/accuracy.ts';
import { benchAgent } from './agent.ts';
import { benchCpu } from './cpu/cpu.ts';
import { benchDay } from './day/day.ts';
import { benchDelivery } from './delivery/delivery.ts';
import { benchFuzz } from './fuzz/fuzz.ts';
import { benchGrowth } from './growth.ts';
import { benchLab } from './lab.ts';
import { createNamespaces, removeNamespaces } from './namespaces.ts';
import { killAll } from './processes.ts';
import { isInstalled } from './programs.ts';
import { machine, type Row, skipped, table } from './report.ts';
import { benchThroughput } from './throughput.ts';

interface Part {
  name: string;
  title: string;
  /** Programs besides node and ip. */
  needs: readonly string[];
  /** Files may be written to the folder, which is removed at the end. */
  run: (folder: string) => Promise<Row[]>;
}

const PARTS: readonly Part[] = [
  { name: 'cpu', title: 'CPU per probe against fping and C', needs: [], run: benchCpu },
  { name: 'throughput', title: '50,000 and 100,000 probes/s without a false loss', needs: [], run: benchThroughput },
  { name: 'accuracy', title: 'Accuracy against captures', needs: ['tcpdump'], run: benchAccuracy },
  { name: 'growth', title: 'Memory over a million probes', needs: [], run: benchGrowth },
  { name: 'day', title: 'Memory over an emulated day', needs: [], run: benchDay },
  { name: 'agent', title: 'Memory of an agent with 1,000 and 2,000 paths', needs: [], run: benchAgent },
  { name: 'delivery', title: 'From the seal to the collector', needs: [], run: benchDelivery },
  { name: 'lab', title: 'The emulated backbone', needs: ['pgrep'], run: benchLab },
  { name: 'fuzz', title: 'Random and mutated packets', needs: [], run: benchFuzz },
];

const folder = join(tmpdir(), 'popprobe-bench');

process.exitCode = await main(process.argv.slice(2));

async function main(names: readonly string[]): Promise<number> {
  const stranger = names.find((name) => PARTS.every((part) => part.name !== name));
  if (stranger !== undefined) {
    console.error(`there is no part ${stranger}; there are ${PARTS.map((part) => part.name).join(', ')}`);
    return 2;
  }
  const parts = PARTS.filter((part) => names.length === 0 || names.includes(part.name));
  console.log(`popprobe benchmarks, ${new Date().toISOString().slice(0, 10)}\n${machine()}\n`);
  const obstacle = whyNot(['ip']);
  if (obstacle !== null) {
    console.log(table(parts.map((part) => skipped(part.title, obstacle))));
    return 0;
  }
  const rows = await runAll(parts);
  console.log(`\n${table(rows)}`);
  const missed = rows.filter((row) => row.verdict === 'MISS').length;
  console.log(missed === 0 ? '\nevery target that was measured is met' : `\n${missed} targets are missed`);
  return missed === 0 ? 0 : 1;
}

async function runAll(parts: readonly Part[]): Promise<Row[]> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => cleanUpAndExit(130));
  const rows: Row[] = [];
  try {
    cleanUp();
    mkdirSync(folder, { mode: 0o700 });
    createNamespaces();
    for (const part of parts) rows.push(...(await runPart(part)));
  } catch (error) {
    console.error(error);
    cleanUpAndExit(2);
  } finally {
    cleanUp();
  }
  return rows;
}

async function runPart({ title, needs, run }: Part): Promise<Row[]> {
  const obstacle = whyNot(needs);
  if (obstacle !== null) {
    console.log(`${title}: skipped: ${obstacle}`);
    return [skipped(title, obstacle)];
  }
  console.log(`${title} ...`);
  const rows = await run(folder);
  console.log(`${table(rows)}\n`);
  return rows;
}

/** Why a part cannot run here, or null. */
function whyNot(programs: readonly string[]): string | null {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces';
  const absent = programs.filter((program) => !isInstalled(program));
  return absent.length === 0 ? null : `${absent.join(' and ')} not installed`;
}

function cleanUp(): void {
  killAll();
  removeNamespaces();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function cleanUpAndExit(status: number): never {
  cleanUp();
  process.exit(status);
}
