/** Two network namespaces joined by a veth pair: a PoP host and, behind one router, all its peers. */

import { execFileSync } from 'node:child_process';
import { FAR_ADDRESSES, farAddress, NEAR_ADDRESS, STRANGER_ADDRESS } from './addresses.ts';

/** Ours alone: whatever carries these names is a leftover of an earlier run. */
export const NEAR = 'popprobe-bench-a';
export const FAR = 'popprobe-bench-b';
export const NEAR_DEVICE = 'veth-a';
export const FAR_DEVICE = 'veth-b';

/** Of the package iproute2. */
const IP = 'ip';

const GATEWAY = { ipv4: '198.18.0.2', ipv6: '2001:db8::2' };
const FAR_NETWORK = { ipv4: '198.19.0.0/16', ipv6: '2001:db8:1::/64' };

export function createNamespaces(): void {
  batch([
    `netns add ${NEAR}`,
    `netns add ${FAR}`,
    `link add ${NEAR_DEVICE} netns ${NEAR} type veth peer name ${FAR_DEVICE} netns ${FAR}`,
  ]);
  batch(
    [
      'link set lo up',
      `addr add ${NEAR_ADDRESS.ipv4}/29 dev ${NEAR_DEVICE}`,
      `addr add ${STRANGER_ADDRESS}/29 dev ${NEAR_DEVICE}`,
      `addr add ${NEAR_ADDRESS.ipv6}/64 dev ${NEAR_DEVICE} nodad`,
      `link set ${NEAR_DEVICE} up`,
      `route add ${FAR_NETWORK.ipv4} via ${GATEWAY.ipv4}`,
      `route add ${FAR_NETWORK.ipv6} via ${GATEWAY.ipv6}`,
    ],
    NEAR,
  );
  batch(
    [
      'link set lo up',
      `addr add ${GATEWAY.ipv4}/29 dev ${FAR_DEVICE}`,
      `addr add ${GATEWAY.ipv6}/64 dev ${FAR_DEVICE} nodad`,
      `link set ${FAR_DEVICE} up`,
      ...FAR_ADDRESSES.map((address) => `addr add ${address}/32 dev ${FAR_DEVICE}`),
      ...FAR_ADDRESSES.map((_, i) => `addr add ${farAddress(i + 1, 'ipv6')}/128 dev ${FAR_DEVICE} nodad`),
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
