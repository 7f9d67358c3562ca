/** irtt as a measure of comparison: its server at the far end, its client here, and the round trips of its JSON report. */

import type { IpFamily } from '../../src/base/ip-address.ts';
import { FAR, NEAR } from '../namespaces.ts';
import { start } from '../processes.ts';

const PORT = 2112;

/** What we read of irtt's report, format version 1; `rtt` is absent where there was no reply. */
interface Report {
  round_trips: { seqno: number; delay: { rtt?: number } }[];
}

/**
 * Round trips of `probes` probes to one target by irtt's sequence number, from 0, ns; those without a reply are absent.
 * Without server timestamps irtt reports the raw round trip: what the captures have, and what is taken of ours.
 */
export async function irttRoundTrips(
  target: string,
  family: IpFamily,
  probes: number,
  intervalMs: number,
): Promise<Map<number, number>> {
  const [version, endpoint] = family === 'ipv6' ? ['-6', `[${target}]:${PORT}`] : ['-4', `${target}:${PORT}`];
  const server = start({ namespace: FAR, command: 'irtt', args: ['server', '-b', endpoint, '-i', '0'] });
  await server.wrote(/starting IPv. listener/);
  const pace = ['-i', `${intervalMs}ms`, '-d', `${probes * intervalMs}ms`, '--wait=500ms'];
  const args = ['client', version, '-Q', ...pace, '--stats=none', '--tstamp=none', '-o', '-', endpoint];
  const { stdout, stderr } = await start({ namespace: NEAR, command: 'irtt', args }).ended;
  await server.stop('SIGTERM');
  if (stdout === '') throw new Error(`irtt said: ${stderr}`);
  const { round_trips } = JSON.parse(stdout) as Report;
  return new Map(
    round_trips.flatMap(({ seqno, delay }): [number, number][] =>
      delay.rtt === undefined ? [] : [[seqno, delay.rtt]],
    ),
  );
}
