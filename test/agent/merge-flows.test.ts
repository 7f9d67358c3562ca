/** Flows merged into their class: exact sums, percentiles within the histogram's error, the worst flow named. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlowMerger } from '../../src/agent/merge-flows.ts';
import { delayFigures } from '../../src/stats/delay.ts';
import { HISTOGRAM_RELATIVE_ERROR, LogHistogram } from '../../src/stats/histogram.ts';
import type { SummaryPath } from '../../src/protocol/summary.ts';
import { buildCounts, buildPath } from '../protocol/summary-fixture.ts';

/** A flow with these delays in ns, and so many probes lost. */
function flowOf(flow: number, delaysNs: readonly number[], lost = 0): SummaryPath {
  const counts = buildCounts({ received: delaysNs.length, lost });
  const figures = delayFigures(Float64Array.from(delaysNs), delaysNs.length);
  const path = buildPath({ flow, counts });
  if (!figures || !path.rtt || !path.histogram) return path;
  const histogram = new LogHistogram();
  for (const delay of delaysNs) histogram.add(delay);
  const rtt = {
    ...path.rtt,
    n: figures.n,
    sum_ns: figures.sumNs,
    min_ns: figures.minNs,
    mean_ns: figures.meanNs,
    max_ns: figures.maxNs,
  };
  return { ...path, rtt, histogram: { ...path.histogram, buckets: histogram.pairs() } };
}

const delays = fc.array(fc.integer({ min: 1, max: 1e9 }), { maxLength: 40 });

describe('the flows of a class', () => {
  it('merge into the figures of all their samples together', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(delays, fc.nat(20)), { minLength: 1, maxLength: 4 }), (flows) => {
        const [row, ...others] = new FlowMerger().merge(flows.map(([own, lost], flow) => flowOf(flow, own, lost)));
        const all = flows.flatMap(([own]) => own).toSorted((a, b) => a - b);
        const exact = delayFigures(Float64Array.from(all), all.length);
        expect(others).toEqual([]);
        expect(row?.counts).toMatchObject({
          received: all.length,
          lost: flows.reduce((sum, [, lost]) => sum + lost, 0),
        });
        const merged = row?.rtt;
        const expected = exact && [exact.n, exact.sumNs, exact.minNs, exact.meanNs, exact.maxNs];
        expect(merged ? [merged.n, merged.sum_ns, merged.min_ns, merged.mean_ns, merged.max_ns] : null).toEqual(
          expected,
        );
        const error = Math.abs((merged?.p99_ns ?? 0) - (exact?.p99Ns ?? 0));
        expect(error).toBeLessThanOrEqual((exact?.p99Ns ?? 0) * HISTOGRAM_RELATIVE_ERROR);
      }),
    );
  });

  it('stay apart from those of another class', () => {
    const rows = new FlowMerger().merge([flowOf(0, [1]), { ...flowOf(0, [2]), class: 'voice' }, flowOf(1, [3])]);
    expect(rows.map((row) => [row.class, row.flows, row.rtt?.sum_ns])).toEqual([
      ['best-effort', 2, 4],
      ['voice', 1, 2],
    ]);
  });
});

describe('the worst flow', () => {
  it.each([
    ['the one that loses all', [flowOf(0, [9, 9]), flowOf(1, [], 2), flowOf(2, [1, 1])], 1],
    ['the one with the higher share, not the higher number', [flowOf(0, [1, 1, 1], 2), flowOf(1, [1], 1)], 1],
    ['of equals the slower one', [flowOf(0, [5]), flowOf(1, [7]), flowOf(2, [6])], 1],
    ['nobody where only one was measured', [flowOf(0, [5]), flowOf(1, [])], null],
  ])('is %s', (_, flows, worst) => {
    expect(new FlowMerger().merge(flows)[0]?.worst_flow).toBe(worst);
  });
});
