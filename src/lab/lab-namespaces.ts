/** The network namespaces of a lab: one a host, told from everything else on the machine by their names. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { PopprobeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { LabHost } from '../config/lab-scenario.ts';

/** The TUN device of every host. */
export const DEVICE = 'backbone';

/** No host's name has a dot, so that no lab's names begin like another's. */
const PREFIX = 'popprobe-lab.';
const NAMED = '/run/netns';

const run = promisify(execFile);

/** Name of a host's namespace in the lab called `lab`. */
export function namespaceOf(lab: string, host: string): string {
  return `${PREFIX}${lab}.${host}`;
}

/**
 * Makes the namespaces, with nothing but a loopback interface, and without limits on the ICMP messages of their kernels:
 * these are there against floods from outside.
 */
export async function createNamespaces(lab: string, hosts: readonly LabHost[]): Promise<void> {
  for (const { name } of hosts) {
    const namespace = namespaceOf(lab, name);
    await ip(['netns', 'add', namespace]);
    await ip(['-netns', namespace, 'link', 'set', 'lo', 'up']);
    await ip(['netns', 'exec', namespace, 'sh', '-ec', SETTINGS]);
  }
}

const SETTINGS = `
for setting in ipv4/icmp_ratelimit ipv6/icmp/ratelimit; do echo 0 > /proc/sys/net/$setting; done
for setting in ipv4/icmp_msgs_per_sec ipv4/icmp_msgs_burst; do echo 1000000 > /proc/sys/net/$setting; done
echo 0 > /proc/sys/net/ipv6/conf/default/accept_ra
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad
`;

/** Gives the TUN devices, once they are there, their hosts' addresses, and sends everything through them. */
export async function connectHosts(lab: string, hosts: readonly LabHost[]): Promise<void> {
  for (const { name, ipv4, ipv6 } of hosts) {
    const commands = [
      `link set ${DEVICE} txqueuelen ${LIMITS.labDeviceQueuePackets} addrgenmode none up`,
      ...(ipv4 === null ? [] : [`addr add ${ipv4}/32 dev ${DEVICE}`, `route add default dev ${DEVICE} src ${ipv4}`]),
      ...(ipv6 === null
        ? []
        : [`addr add ${ipv6}/128 dev ${DEVICE} nodad`, `-6 route add default dev ${DEVICE} src ${ipv6}`]),
    ];
    for (const command of commands) await ip(['-netns', namespaceOf(lab, name), ...command.split(' ')]);
  }
}

/** The beginning of a command line that runs a program on a host. */
export function launcherOf(lab: string, host: string): string[] {
  return ['ip', 'netns', 'exec', namespaceOf(lab, host)];
}

/**
 * Removes every namespace of the lab, whoever left it, and ends what still runs in them; nothing else.
 *
 * @returns their names
 */
export async function removeNamespaces(lab: string): Promise<string[]> {
  const names = (await namedNamespaces()).filter((name) => name.startsWith(`${PREFIX}${lab}.`));
  for (const name of names) {
    await endProcesses(name);
    await ip(['netns', 'delete', name]).catch(async (error: unknown) => {
      // What was killed between making the file and mounting the namespace on it is a plain file.
      if (!String(error).includes('Invalid argument')) throw error;
      await rm(`${NAMED}/${name}`);
    });
  }
  return names;
}

async function namedNamespaces(): Promise<string[]> {
  // Without the folder nobody on this machine has made one yet.
  return existsSync(NAMED) ? await readdir(NAMED) : [];
}

async function endProcesses(namespace: string): Promise<void> {
  const pids = (await ip(['netns', 'pids', namespace]).catch(() => '')).split('\n').filter((pid) => pid !== '');
  for (const pid of pids) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

async function ip(args: readonly string[]): Promise<string> {
  try {
    return (await run('ip', args)).stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new PopprobeError('lab_unavailable', {
      expected: `"ip ${args.join(' ').slice(0, 200)}" to succeed`,
      found: stderr.trim() || message,
      remedy: 'run as root on Linux with iproute2 and network namespaces',
      cause: error,
    });
  }
}
