/** The flows of a probe class towards one peer as one: exact sums, percentiles from merged histograms, the worst flow named. */

import type { SummaryClass, SummaryDelay, SummaryPath } from '../protocol/summary.ts';
import { LogHistogram } from '../stats/histogram.ts';
import { addCounts, emptyCounts } from '../stats/outcomes.ts';

type Counts = SummaryPath['counts'];

/** One scratch histogram for all peers: merging allocates little. */
export class FlowMerger {
  readonly #histogram = new LogHistogram();

  /** One row for each class among the peer's paths, in their order. */
  merge(paths: readonly SummaryPath[]): SummaryClass[] {
    const classes = new Map<string, SummaryPath[]>();
    for (const path of paths) {
      const flows = classes.get(path.class);
      if (flows) flows.push(path);
      else classes.set(path.class, [path]);
    }
    return [...classes].map(([name, flows]) => ({
      class: name,
      flows: flows.length,
      counts: flows.reduce(summed, emptyCounts()),
      rtt: this.#rtt(flows),
      worst_flow: worstFlow(flows),
    }));
  }

  #rtt(flows: readonly SummaryPath[]): SummaryClass['rtt'] {
    const delays = flows.flatMap(({ rtt }) => (rtt ? [rtt] : []));
    if (delays.length === 0) return null;
    this.#histogram.reset();
    for (const { histogram } of flows) if (histogram) this.#histogram.addPairs(histogram.buckets);
    const n = sumOf(delays, 'n');
    const sumNs = sumOf(delays, 'sum_ns');
    const percentile = (p: number): number => this.#histogram.percentileNs(p) ?? 0;
    return {
      n,
      sum_ns: sumNs,
      min_ns: Math.min(...delays.map((delay) => delay.min_ns)),
      mean_ns: Math.round(sumNs / n),
      max_ns: Math.max(...delays.map((delay) => delay.max_ns)),
      p50_ns: percentile(0.5),
      p95_ns: percentile(0.95),
      p99_ns: percentile(0.99),
      p999_ns: percentile(0.999),
    };
  }
}

/**
 * The flow with the highest loss ratio, of equals the one with the highest mean delay: a dead member of an ECMP group
 * shows as one flow that loses everything, not as a share of a loss everywhere. Null where there is nothing to choose
 * between.
 */
function worstFlow(flows: readonly SummaryPath[]): number | null {
  const measured = flows.filter(({ counts }) => counts.received + counts.lost > 0);
  if (measured.length < 2) return null;
  return measured.reduce((worst, flow) => (isWorse(flow, worst) ? flow : worst)).flow;
}

/** Loss ratios are compared by cross-multiplication, in integers. */
function isWorse(a: SummaryPath, b: SummaryPath): boolean {
  const difference = a.counts.lost * measuredOf(b.counts) - b.counts.lost * measuredOf(a.counts);
  if (difference !== 0) return difference > 0;
  return (a.rtt?.mean_ns ?? 0) > (b.rtt?.mean_ns ?? 0);
}

function measuredOf({ received, lost }: Counts): number {
  return received + lost;
}

function summed(total: Counts, { counts }: SummaryPath): Counts {
  addCounts(total, counts);
  return total;
}

function sumOf(delays: readonly SummaryDelay[], member: 'n' | 'sum_ns'): number {
  return delays.reduce((sum, delay) => sum + delay[member], 0);
}
