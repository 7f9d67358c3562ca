/** The emulator of the lab: how exact its delays are, by its own truth file, and how much of a core it takes. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readTruth } from '../src/lab/truth-file.ts';
import { emulatorErrorP99Us } from '../src/lab/emulator-error.ts';
import { cpuNs } from './proc.ts';
import { start } from './processes.ts';
import { atMost, info, type Row } from './report.ts';
import { SETTINGS, TARGETS } from './settings.ts';

/** The built program: this file runs as .bench/bench/lab.js. */
const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const SCENARIO = fileURLToPath(new URL('../../config/lab/backbone.yaml', import.meta.url));
const NAME = 'bench';

/** The lab's files go to a folder in this one. */
export async function benchLab(parent: string): Promise<Row[]> {
  const { settleMs, measureMs, port } = SETTINGS.lab;
  const folder = join(parent, 'lab');
  const names = ['--name', NAME, '--port', String(port), '--folder', folder];
  const lab = start({
    namespace: null,
    command: process.execPath,
    args: [PROGRAM, 'lab', '--scenario', SCENARIO, ...names],
  });
  // The table is shown as soon as everything runs.
  await lab.wrote(/as of|waiting/);
  await sleep(settleMs);
  const pid = forwarderPid();
  const firstS = Math.ceil(Date.now() / 1000);
  const isMeasured = ({ second }: { second: number }): boolean =>
    second >= firstS && second < firstS + measureMs / 1000;
  const before = { cpuNs: cpuNs(pid), atMs: performance.now() };
  await sleep(measureMs);
  const share = (cpuNs(pid) - before.cpuNs) / 1e6 / (performance.now() - before.atMs);
  await lab.stop('SIGINT');
  const truth = await readTruth(join(folder, 'truth.jsonl'));
  const rows = truth.rows.filter(isMeasured);
  const errors = truth.errors.filter(isMeasured);
  const seconds = new Set(rows.map(({ second }) => second)).size;
  const packets = rows.reduce((sum, row) => sum + row.packets.offered, 0);
  const overload = rows.reduce((sum, row) => sum + row.packets.dropped.overload, 0);
  return [
    info('Lab, 8 PoPs, 56 pairs, backbone.yaml: packets per second', (packets / seconds).toFixed(0)),
    atMost("Lab: the emulator's CPU, percent of one core", share * 100, TARGETS.labCpuPercentMax, '%'),
    atMost(
      'Lab: delay of 99 % of the packets is off by at most',
      emulatorErrorP99Us(errors) ?? Number.NaN,
      TARGETS.labErrorUsMax,
      'µs',
    ),
    atMost('Lab: packets that the emulator had no room for', overload, 0),
  ];
}

/** The emulator is a child of the lab's own, told by its command line. */
function forwarderPid(): number {
  const { stdout } = spawnSync('pgrep', ['-f', `main.js lab-forwarder .*--lab ${NAME} `], { encoding: 'utf8' });
  return Number(stdout.trim());
}
