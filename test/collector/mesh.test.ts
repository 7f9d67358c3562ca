/** The mesh: sums, ratios and round trips against figures worked out by hand. */

import { describe, expect, it } from 'vitest';
import { meshOf } from '../../src/collector/mesh.ts';
import type { StoredOtherEnd, StoredPath, StoredPop } from '../../src/collector/store/store.ts';
import { bucketMidpointNs, bucketOf } from '../../src/stats/histogram.ts';
import { buildCounts } from '../protocol/summary-fixture.ts';

const NOW_MS = Date.UTC(2026, 0, 1, 12);

const END = { isFirstOfRun: false, clockErrorNs: 1_000_000 };

/** A path of which `n` probes came back after `rttNs` each and `lost` did not. */
function path(overrides: Partial<StoredPath>, n: number, rttNs: number, lost = 0): StoredPath {
  return {
    class: 'best-effort',
    kind: 'stamp',
    family: 'ipv4',
    dscp: 0,
    flow: 0,
    intervalMs: 100,
    direction: null,
    rttMaxNs: n > 0 ? rttNs : null,
    counts: buildCounts({ received: n, lost }),
    rttN: n,
    rttSumNs: n * rttNs,
    histogram: n > 0 ? [[bucketOf(rttNs), n]] : [],
    ...overrides,
  };
}

function stateOf(paths: StoredPath[], otherEnd: StoredOtherEnd | null = null): StoredPop {
  const state = { pop: 'fra', documents: 3, lastSequence: 9, lastAcceptedMs: NOW_MS - 61_500, skewMs: -3200 };
  const parameters = { schedule: 'periodic', tickMs: 5, tmaxMs: 3000 } as const;
  const peers = [{ peer: 'ams', seconds: 'g'.repeat(60), paths, otherEnd }];
  const window = { pop: 'fra', sequence: 8, windowStartS: NOW_MS / 1000 - 120, windowLengthS: 60 };
  return { ...state, newest: { ...window, ...parameters, ...END, peers } };
}

function pairOf(paths: StoredPath[], otherEnd: StoredOtherEnd | null = null) {
  const [pair] = meshOf([], [stateOf(paths, otherEnd)], NOW_MS).pairs;
  if (pair === undefined) throw new Error('a pair expected');
  return pair;
}

describe('the PoPs', () => {
  it('are listed by name, with the age of the last document', () => {
    const { generated_at, pops } = meshOf(['par', 'fra'], [stateOf([])], NOW_MS);
    expect(generated_at).toBe('2026-01-01T12:00:00.000Z');
    expect(pops).toEqual([
      {
        pop: 'fra',
        last_sequence: 9,
        last_accepted_at: '2026-01-01T11:58:58.500Z',
        last_accepted_age_s: 61,
        skew_ms: -3200,
        window_start: '2026-01-01T11:58:00.000Z',
        documents: 3,
      },
      {
        pop: 'par',
        last_sequence: null,
        last_accepted_at: null,
        last_accepted_age_s: null,
        skew_ms: null,
        window_start: null,
        documents: 0,
      },
    ]);
  });

  it('have no window as long as they have sent but events', () => {
    const [pop] = meshOf([], [{ ...stateOf([]), newest: null }], NOW_MS).pops;
    expect(pop).toMatchObject({ pop: 'fra', last_sequence: 9, documents: 3, window_start: null });
  });

  it('include one that is stored but no longer configured', () => {
    expect(meshOf(['par'], [stateOf([])], NOW_MS).pops.map(({ pop }) => pop)).toEqual(['fra', 'par']);
  });
});

describe('a pair', () => {
  it('sums the counts of all paths, ICMP included', () => {
    const icmp = { class: 'echo', kind: 'icmp' } as const;
    const pair = pairOf([path({}, 590, 1e6, 10), path({ flow: 1 }, 600, 1e6), path(icmp, 50, 1e6, 10)]);
    expect(pair.counts).toEqual(buildCounts({ received: 1240, lost: 20 }));
    expect(pair.loss_ratio).toBe(20 / 1260);
    expect(pair).toMatchObject({
      from: 'fra',
      to: 'ams',
      window_start: '2026-01-01T11:58:00.000Z',
      window_length_s: 60,
    });
  });

  it('has no loss ratio when nothing was measured, whatever was refused, missed or void', () => {
    const counts = buildCounts({ received: 0, refused: 200, missed: 300, void: 100 });
    const pair = pairOf([path({ counts }, 0, 0)]);
    expect([pair.loss_ratio, pair.rtt]).toEqual([null, null]);
    expect(pair.paths).toMatchObject([{ rtt_mean_ns: null, rtt_p95_ns: null }]);
  });

  it('has the mean and the percentile over all flows of a class', () => {
    const pair = pairOf([path({}, 90, 1_000_000), path({ flow: 1 }, 10, 3_000_000)]);
    const p95_ns = bucketMidpointNs(bucketOf(3_000_000));
    expect(pair.rtt).toEqual({ class: 'best-effort', kind: 'stamp', n: 100, mean_ns: 1_200_000, p95_ns });
    expect(pair.paths.map(({ flow, rtt_mean_ns }) => [flow, rtt_mean_ns])).toEqual([
      [0, 1_000_000],
      [1, 3_000_000],
    ]);
  });

  it('shows STAMP before ICMP, and ICMP when STAMP has no samples', () => {
    const icmp = path({ class: 'echo', kind: 'icmp' }, 60, 5_000_000);
    expect(pairOf([icmp, path({}, 60, 1_000_000)]).rtt).toMatchObject({ kind: 'stamp', mean_ns: 1_000_000, n: 60 });
    expect(pairOf([icmp, path({}, 0, 0, 60)]).rtt).toMatchObject({ kind: 'icmp', mean_ns: 5_000_000, n: 60 });
  });

  it('does not mix classes: the lowest DSCP is shown', () => {
    const expedited = path({ class: 'a-voice', dscp: 46 }, 60, 1_000_000);
    const pair = pairOf([expedited, path({ dscp: 0 }, 60, 2_000_000)]);
    expect(pair.rtt).toMatchObject({ class: 'best-effort', n: 60, mean_ns: 2_000_000 });
  });
});

describe('the two ends of a pair', () => {
  const session = { class: 'best-effort', family: 'ipv4', flow: 0, received: 600, replied: 600 } as const;
  const icmp = path({ class: 'echo', kind: 'icmp' }, 60, 1e6);

  it('stand side by side for each STAMP path, session by session', () => {
    const direction = { forward: 7, reverse: 3, unresolved: 0, open: 0 };
    const paths = [path({ direction }, 590, 1e6, 10), path({ flow: 1 }, 600, 1e6), icmp];
    const sessions = [
      { ...session, flow: 1, received: 599, replied: 599 },
      { ...session, family: 'ipv6' as const, received: 1 },
      { ...session, received: 593, replied: 592 },
    ];
    const pair = pairOf(paths, { ...END, sessions });
    const common = { verdict: 'agrees', reason: null, sent: 600, tolerance: 3 };
    expect(pair.paths.map(({ two_ended }) => two_ended)).toEqual([
      { ...common, forward_lost: 7, reverse_lost: 3, reflector: { received: 593, replied: 592 } },
      { ...common, forward_lost: null, reverse_lost: null, reflector: { received: 599, replied: 599 } },
      null,
    ]);
    expect(pair.two_ended).toBe('agrees');
  });

  it('are disputed as a whole when one path is, and unknown when one is and none is disputed', () => {
    const flows = [0, 1, 2].map((flow) => path({ flow }, 600, 1e6));
    const verdictOf = (...received: number[]) => {
      const sessions = received.map((count, flow) => ({ ...session, flow, received: count, replied: count }));
      return pairOf(flows, { ...END, sessions }).two_ended;
    };
    expect(verdictOf(600, 600, 600)).toBe('agrees');
    expect(verdictOf(600, 600)).toBe('unknown');
    expect(verdictOf(600, 500)).toBe('disputed');
  });

  it('are unknown without the other document, and nobody knows of any without STAMP', () => {
    const pair = pairOf([path({}, 600, 1e6)]);
    expect(pair.paths[0]?.two_ended).toMatchObject({ verdict: 'unknown', reason: 'no_document', reflector: null });
    expect([pair.two_ended, pairOf([icmp]).two_ended]).toEqual(['unknown', null]);
  });
});
