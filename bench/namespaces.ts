/** Two network namespaces joined by a veth pair: a PoP host and, behind one router, all its peers. */

import { execFileSync } from 'node:child_process';
import { SETTINGS } from './settings.ts';

/** Ours alone: whatever carries these names is a leftover of an earlier run. */
export const NEAR = 'popprobe-bench-a';
export const FAR = 'popprobe-bench-b';
export const NEAR_DEVICE = 'veth-a';
export const FAR_DEVICE = 'veth-b';

/** Of the package iproute2. */
const IP = 'ip';

/** RFC 2544 benchmarking addresses. */
export const NEAR_ADDRESS = '198.18.0.1';
const GATEWAY = '198.18.0.2';
const FAR_NETWORK = '198.19.0.0/16';

/** The peers' addresses, all at the far end. */
export const FAR_ADDRESSES: readonly string[] = Array.from({ length: SETTINGS.targets }, (_, i) => farAddress(i + 1));

/** The address of peer number `peer`, 1 and up. */
export function farAddress(peer: number): string {
  return `198.19.${peer >> 8}.${peer & 255}`;
}

export function createNamespaces(): void {
  batch([
    `netns add ${NEAR}`,
    `netns add ${FAR}`,
    `link add ${NEAR_DEVICE} netns ${NEAR} type veth peer name ${FAR_DEVICE} netns ${FAR}`,
  ]);
  batch(
    [
      'link set lo up',
      `addr add ${NEAR_ADDRESS}/30 dev ${NEAR_DEVICE}`,
      `link set ${NEAR_DEVICE} up`,
      `route add ${FAR_NETWORK} via ${GATEWAY}`,
    ],
    NEAR,
  );
  batch(
    [
      'link set lo up',
      `addr add ${GATEWAY}/30 dev ${FAR_DEVICE}`,
      `link set ${FAR_DEVICE} up`,
      ...FAR_ADDRESSES.map((address) => `addr add ${address}/32 dev ${FAR_DEVICE}`),
    ],
    FAR,
  );
}

/** Also ends what still runs inside, so that nothing of a killed run goes on. */
export function removeNamespaces(): void {
  const existing = lines(['netns', 'list']).map((line) => line.split(' ')[0]);
  for (const name of [NEAR, FAR].filter((own) => existing.includes(own))) {
    for (const pid of lines(['netns', 'pids', name])) endIfRunning(Number(pid));
    lines(['netns', 'delete', name]);
  }
}

function endIfRunning(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** What ip(8) prints. */
function lines(args: readonly string[]): string[] {
  return execFileSync(IP, args, { encoding: 'utf8' }).split('\n').filter(Boolean);
}

function batch(commands: readonly string[], namespace?: string): void {
  const where = namespace === undefined ? [] : ['-netns', namespace];
  const input = `${commands.join('\n')}\n`;
  execFileSync(IP, [...where, '-batch', '-'], { input, stdio: ['pipe', 'inherit', 'inherit'] });
}
