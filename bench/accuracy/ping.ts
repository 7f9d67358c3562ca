/** iputils ping as a measure of comparison: runs it, and reads the round trip that it prints of each probe. */

import type { IpFamily } from '../../src/base/ip-address.ts';
import { NEAR } from '../namespaces.ts';
import { start } from '../processes.ts';

/**
 * Round trips of `probes` probes to one target by their ICMP sequence number, ns; those without a reply are absent.
 * ping numbers its probes from 1, and prints three decimals of a ms below 1 ms, its finest. Its interval is a wish: it
 * wakes by the kernel's jiffies, so that 10 ms become 10 to 16.
 */
export async function pingRoundTrips(
  target: string,
  family: IpFamily,
  probes: number,
  intervalMs: number,
): Promise<Map<number, number>> {
  const version = family === 'ipv6' ? '-6' : '-4';
  const args = [version, '-n', '-c', String(probes), '-i', String(intervalMs / 1000), target];
  const environment = { LC_ALL: 'C' };
  const { stdout, stderr } = await start({ namespace: NEAR, command: 'ping', args, environment }).ended;
  const lines = [...stdout.matchAll(/icmp_seq=(\d+) ttl=\d+ time=([\d.]+) ms$/gm)];
  if (lines.length === 0) throw new Error(`ping said: ${stdout}${stderr}`);
  return new Map(lines.map(([, sequence, ms]) => [Number(sequence), Number(ms) * 1e6]));
}
