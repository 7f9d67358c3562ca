/** The same loop in C as the floor of what a probe can cost: built when the benchmark runs, see floor/floor.c. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NEAR_ADDRESS } from '../addresses.ts';
import { defaultTickMs } from '../../src/config/default-tick.ts';
import { NEAR } from '../namespaces.ts';
import { ICMP_IDENTIFIER } from '../plans.ts';
import { type RunningProgram, start } from '../processes.ts';
import { SETTINGS } from '../settings.ts';

/** The C compiler by its POSIX-like name. */
export const COMPILER = 'cc';

/** This file runs as .bench/bench/cpu/floor.js. */
const SOURCE = fileURLToPath(new URL('../../../bench/floor/floor.c', import.meta.url));

/** Builds the program in the folder; returns its path. Throws with the compiler's words on stderr. */
export function buildFloor(folder: string): string {
  const program = join(folder, 'floor');
  execFileSync(COMPILER, ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, SOURCE], { stdio: 'inherit' });
  return program;
}

/** Starts the loop with a path to each target, a probe every `perTargetMs`; resolves when its sockets are open. */
export async function startFloor(
  program: string,
  kind: 'icmp' | 'stamp',
  targets: readonly string[],
  perTargetMs: number,
): Promise<RunningProgram> {
  const sockets = kind === 'icmp' ? [ICMP_IDENTIFIER, 1, 0] : [SETTINGS.sourcePort, SETTINGS.flows, SETTINGS.stampPort];
  const args = [
    kind,
    NEAR_ADDRESS.ipv4,
    ...[...sockets, perTargetMs, defaultTickMs([perTargetMs])].map(String),
    ...targets,
  ];
  const floor = start({ namespace: NEAR, command: program, args });
  await floor.wrote(/probing/);
  return floor;
}

/** Ends the loop and returns its counts. Throws when a probe of it lacks its reply or its TX stamp. */
export async function stopFloor(floor: RunningProgram): Promise<string> {
  const { stdout, stderr, code } = await floor.stop('SIGTERM');
  const counts = stdout.replace('probing', '').trim();
  if (code !== 0) throw new Error(`the loop in C did not work here: ${stderr}${counts}`);
  return counts;
}
