/** Reads from /proc what a process has used and sent. */

import { readdirSync, readFileSync } from 'node:fs';

/**
 * CPU time of all threads of a process, user and system, ns. From schedstat: the same clock as utime + stime of
 * /proc/PID/stat, which shows it in steps of 10 ms.
 */
export function cpuNs(pid: number): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [onCpu = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    sum += Number(onCpu);
  }
  return sum;
}

/** Resident memory in MB of 10^6 octets: now, the part of it that is no file's, and the most there ever was. */
export function memoryMb(pid: number): { rss: number; own: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024) / 1e6;
  return { rss: field('VmRSS'), own: field('RssAnon') + field('RssShmem'), peak: field('VmHWM') };
}

/** Of /proc/net/snmp: the line and the column that count what goes out. */
const SENT = { icmp: ['IcmpMsg:', 'OutType8'], udp: ['Udp:', 'OutDatagrams'] } as const;

export type Protocol = keyof typeof SENT;

/** Echo requests or UDP datagrams sent in the network namespace of a process, whoever sent them: the kernel's own count. */
export function packetsSent(pid: number, protocol: Protocol): number {
  const [prefix, name] = SENT[protocol];
  const lines = readFileSync(`/proc/${pid}/net/snmp`, 'utf8').split('\n');
  const [names = '', values = ''] = lines.filter((line) => line.startsWith(prefix));
  const column = names.split(' ').indexOf(name);
  return column < 0 ? 0 : Number(values.split(' ')[column]);
}
