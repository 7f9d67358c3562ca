/** What the emulated network says of the probes from one PoP to another. */

import type { ProbeKind } from './agent-account.ts';
import type { SecondProbes } from './compare-outages.ts';
import type { TruthRow } from './truth.ts';

export interface TruthAccount {
  readonly sent: number;
  readonly lost: number;
  /** Answered probes of each kind, the sum of their delays there and back, and of how late their packets were read, µs. */
  readonly kinds: Readonly<
    Record<ProbeKind, { readonly answered: number; readonly sumUs: number; readonly lagSumUs: number }>
  >;
  /** No probe took less, or more, in the network there and back, µs; without packets 0. */
  readonly leastUs: number;
  readonly mostUs: number;
  /** Packets that the emulator itself had no room for. */
  readonly overload: number;
  /** By Unix second, ascending; only those with probes. */
  readonly seconds: ReadonlyMap<number, SecondProbes>;
}

/**
 * @param forward the rows of the pair, by second.
 * @param backward those of the same two PoPs the other way.
 */
export function truthAccount(forward: readonly TruthRow[], backward: readonly TruthRow[]): TruthAccount {
  const seconds = new Map<number, SecondProbes>();
  const sums = { sent: 0, lost: 0, stamp: 0, stampUs: 0, stampLagUs: 0, icmp: 0, icmpUs: 0, icmpLagUs: 0, overload: 0 };
  for (const { second, probes, packets } of forward) {
    sums.sent += probes.sent;
    sums.lost += probes.lost;
    sums.stamp += probes.stamp_n;
    sums.stampUs += probes.stamp_sum_us;
    sums.stampLagUs += probes.stamp_lag_sum_us;
    sums.icmp += probes.icmp_n;
    sums.icmpUs += probes.icmp_sum_us;
    sums.icmpLagUs += probes.icmp_lag_sum_us;
    sums.overload += packets.dropped.overload;
    if (probes.sent > 0) seconds.set(second, probes);
  }
  const there = extremes(forward);
  const back = extremes(backward);
  return {
    sent: sums.sent,
    lost: sums.lost,
    kinds: {
      stamp: { answered: sums.stamp, sumUs: sums.stampUs, lagSumUs: sums.stampLagUs },
      icmp: { answered: sums.icmp, sumUs: sums.icmpUs, lagSumUs: sums.icmpLagUs },
    },
    leastUs: there.leastUs + back.leastUs,
    mostUs: there.mostUs + back.mostUs,
    overload: sums.overload,
    seconds,
  };
}

function extremes(rows: readonly TruthRow[]): { leastUs: number; mostUs: number } {
  let leastUs = Number.POSITIVE_INFINITY;
  let mostUs = 0;
  for (const { packets } of rows) {
    if (packets.delay_n === 0) continue;
    leastUs = Math.min(leastUs, packets.delay_min_us);
    mostUs = Math.max(mostUs, packets.delay_max_us);
  }
  return { leastUs: Number.isFinite(leastUs) ? leastUs : 0, mostUs };
}
