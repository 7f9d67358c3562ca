/** How exact the emulator itself was, and how late it read, by its truth file. */

import { percentileRank } from '../stats/percentile.ts';
import type { TruthError, TruthRow } from './truth.ts';

/**
 * 99 % of the packets left the emulator within this of the instant that was decided, µs: the upper bound of the bucket in
 * which the percentile lies, infinite beyond the last bound; null without packets. Seconds may have different bounds.
 */
export function emulatorErrorP99Us(errors: readonly TruthError[]): number | null {
  const counts = new Map<number, number>();
  let total = 0;
  for (const { error_us, packets } of errors) {
    for (const [index, count] of packets.entries()) {
      const bound = error_us[index] ?? Number.POSITIVE_INFINITY;
      counts.set(bound, (counts.get(bound) ?? 0) + count);
      total += count;
    }
  }
  if (total === 0) return null;
  let rank = percentileRank(0.99, total);
  for (const [bound, count] of [...counts].sort(([a], [b]) => a - b)) {
    rank -= count;
    if (rank <= 0) return bound;
  }
  return Number.POSITIVE_INFINITY;
}

/** How long the packets of an answered probe had been sent when the emulator read them, on average, µs; null without any. */
export function meanReadLagUs(rows: readonly TruthRow[]): number | null {
  let answered = 0;
  let sumUs = 0;
  for (const { probes } of rows) {
    answered += probes.stamp_n + probes.icmp_n;
    sumUs += probes.stamp_lag_sum_us + probes.icmp_lag_sum_us;
  }
  return answered === 0 ? null : sumUs / answered;
}
