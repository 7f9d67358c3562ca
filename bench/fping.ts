/** fping as the measure of comparison: runs it, and reads what it says. */

import type { IpFamily } from '../src/base/ip-address.ts';
import { NEAR } from './namespaces.ts';
import { type RunningProgram, start } from './processes.ts';

/** How fping goes over its targets. */
export interface Pace {
  /** Time between two probes to one target, ms. */
  perTargetMs: number;
  /** Time it waits after any probe, ms. */
  gapMs: number;
  /** For how long at least, ms: it is stopped before. */
  durationMs: number;
}

/**
 * Starts fping over all targets, silent until it ends. It counts (-c) rather than loops (-l), because fping 5.1 prints a
 * line a probe with -l, whatever -q says, and that would cost it CPU.
 */
export function startFping(targets: readonly string[], { perTargetMs, gapMs, durationMs }: Pace): RunningProgram {
  const count = Math.ceil(durationMs / perTargetMs);
  const args = ['-q', '-c', String(count), '-i', String(gapMs), '-p', String(perTargetMs), ...targets];
  return start({ namespace: NEAR, command: 'fping', args });
}

/** Starts fping as one who wants to see each probe starts it: it loops over all targets and prints a line a probe. */
export function startPrintingFping(targets: readonly string[], { perTargetMs, gapMs }: Pace): RunningProgram {
  const args = ['-l', '-i', String(gapMs), '-p', String(perTargetMs), ...targets];
  return start({ namespace: NEAR, command: 'fping', args });
}

/** How many probes an ended `startFping` says it sent and got answered. */
export function fpingTotals(stderr: string): { sent: number; received: number } {
  const totals = { sent: 0, received: 0 };
  for (const [, sent, received] of stderr.matchAll(/xmt\/rcv\/%loss = (\d+)\/(\d+)\//g)) {
    totals.sent += Number(sent);
    totals.received += Number(received);
  }
  return totals;
}

/**
 * Round trips of `probes` probes to one target by their ICMP sequence number, ns; those without a reply are absent.
 * fping numbers its probes from 0, in the order in which it prints them. With -C it prints three decimals of a ms below
 * 1 ms, its finest.
 */
export async function fpingRoundTrips(
  target: string,
  family: IpFamily,
  probes: number,
  intervalMs: number,
): Promise<Map<number, number>> {
  const version = family === 'ipv6' ? '-6' : '-4';
  const args = [version, '-q', '-C', String(probes), '-p', String(intervalMs), '-i', '1', target];
  const { stderr } = await start({ namespace: NEAR, command: 'fping', args }).ended;
  const line = stderr.split('\n').find((text) => text.startsWith(`${target} :`));
  if (line === undefined) throw new Error(`fping said: ${stderr}`);
  const [, ...figures] = line.slice(target.length).trim().split(/\s+/);
  return new Map(
    figures.flatMap((figure, sequence): [number, number][] =>
      figure === '-' ? [] : [[sequence, Number(figure) * 1e6]],
    ),
  );
}
