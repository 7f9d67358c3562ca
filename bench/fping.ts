/** fping as the measure of comparison: runs it, and reads what it says. */

import { NEAR } from './namespaces.ts';
import { type RunningProgram, start } from './processes.ts';

/** Starts fping over all targets, each every `perTargetMs`, without output until it ends. */
export function loopFping(targets: readonly string[], perTargetMs: number): RunningProgram {
  const args = ['-l', '-q', '-i', '1', '-p', String(perTargetMs), ...targets];
  return start({ namespace: NEAR, command: 'fping', args });
}

/** How many probes an ended `loopFping` says it sent and got answered. */
export function fpingTotals(stderr: string): { sent: number; received: number } {
  const totals = { sent: 0, received: 0 };
  for (const [, sent, received] of stderr.matchAll(/xmt\/rcv\/%loss = (\d+)\/(\d+)\//g)) {
    totals.sent += Number(sent);
    totals.received += Number(received);
  }
  return totals;
}

/**
 * Round trips of `probes` probes to one target in their order, ns; null where there was no reply. With -C fping prints
 * three decimals of a ms below 1 ms, its finest.
 */
export async function fpingRoundTrips(target: string, probes: number, intervalMs: number): Promise<(number | null)[]> {
  const args = ['-q', '-C', String(probes), '-p', String(intervalMs), '-i', '1', target];
  const { stderr } = await start({ namespace: NEAR, command: 'fping', args }).ended;
  const line = stderr.split('\n').find((text) => text.startsWith(target));
  if (line === undefined) throw new Error(`fping said: ${stderr}`);
  const figures = line
    .slice(line.indexOf(':') + 1)
    .trim()
    .split(/\s+/);
  return figures.map((figure) => (figure === '-' ? null : Number(figure) * 1e6));
}
