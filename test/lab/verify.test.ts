/** Verification finds every kind of difference between network and agents, and accepts what is none. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/lab/random.ts';
import type { TruthRow } from '../../src/lab/truth.ts';
import { type Verification, verifyRun } from '../../src/lab/verify.ts';
import { POPS, type Probe, rechained, type Run, runOf, START_S, steadyProbes, WINDOW_S } from './emulated-run.ts';

function verify({ truth, documents }: Run, delayErrorUs?: number): Verification {
  return verifyRun(truth, documents, { pops: POPS, ...(delayErrorUs === undefined ? {} : { delayErrorUs }) });
}

/** All that is wrong, of the run and of its only pair. */
function faults(run: Run, delayErrorUs?: number): string[] {
  const { verdict, reasons, pairs } = verify(run, delayErrorUs);
  const all = [...reasons, ...pairs.flatMap((pair) => pair.reasons)];
  expect(verdict).toBe(all.length === 0 ? 'ok' : 'differs');
  return all;
}

/** Steady probes over three windows, some of them changed by `change`. */
function changedRun(change: (probe: Probe, index: number) => Partial<Probe>): Run {
  return runOf(
    steadyProbes(3 * WINDOW_S).map((probe, index) => ({ ...probe, ...change(probe, index) })),
    3,
  );
}

/** All probes due within these seconds of the run are lost. */
function outage(fromMs: number, toMs: number): (probe: Probe) => Partial<Probe> {
  return ({ dueMs }) => (dueMs >= fromMs && dueMs < toMs ? { fate: 'lost' } : {});
}

/** The run with other rows in its truth. */
function withRows({ truth, documents }: Run, rows: (row: TruthRow) => TruthRow[]): Run {
  return { truth: { ...truth, rows: truth.rows.flatMap(rows) }, documents };
}

/** The run with other letters in the seconds of `ams` about `fra`. */
function withSeconds({ truth, documents }: Run, letters: string): Run {
  const changed = documents.map((document) => {
    const at = document.window.start_unix_s - START_S;
    if (document.pop !== 'ams') return document;
    const peers = document.peers.map((peer) => ({ ...peer, seconds: letters.slice(at, at + WINDOW_S) }));
    return { ...document, peers };
  });
  return { truth, documents: rechained(changed) };
}

describe('a run without differences', () => {
  it('is ok, with the figures of both sides', () => {
    const run = changedRun(({ dueMs }) => ({ fate: dueMs < 500 ? 'lost' : 'received', hostUs: 300 }));
    const { verdict, reasons, pairs } = verify(run);
    expect([verdict, reasons]).toEqual(['ok', []]);
    expect(pairs).toEqual([
      {
        from: 'ams',
        to: 'fra',
        sent: { truth: 900, agent: 900 },
        lost: { truth: 15, agent: 15 },
        meanUs: { stamp: { truth: 12_000, agent: 12_300 }, icmp: { truth: 12_000, agent: 12_300 } },
        outages: { truth: [], agent: [] },
        refused: 0,
        missed: 0,
        void: 0,
        verdict: 'ok',
        reasons: [],
        explanations: [],
      },
    ]);
  });

  it('may have probes on their way across the edges of windows', () => {
    // Those due at 9.93 s are read at 10.03 s: one of each path, which is as many as there can be.
    const run = changedRun(({ dueMs }) => (dueMs === 9930 ? { lateMs: 100, fate: 'lost' } : {}));
    expect(run.truth.rows.filter(({ second }) => second === START_S + 9)[0]?.probes.sent).toBe(27);
    expect(faults(run)).toEqual([]);
  });

  it('lists probes that were never sent, with the reason', () => {
    const run = changedRun((_, index) => (index < 7 ? { fate: index < 5 ? 'refused' : 'missed' } : {}));
    const [pair] = verify(run).pairs;
    expect(pair).toMatchObject({ refused: 5, missed: 2, verdict: 'ok', sent: { truth: 893, agent: 893 } });
    expect(pair?.explanations).toEqual([
      "5 refused: the agent's own kernel did not send them (ENOBUFS 5)",
      '2 missed: the agent was late and did not send them',
    ]);
  });
});

describe('probes sent', () => {
  it('differ when the agent tells of one that the network never had', () => {
    const run = changedRun(() => ({}));
    const [first] = run.truth.rows;
    const less = withRows(run, (row) =>
      row === first ? [{ ...row, probes: { ...row.probes, sent: 29, icmp_n: 9, icmp_sum_us: 108_000 } }] : [row],
    );
    expect(faults(less)).toEqual([
      'sent: 899 probes entered the network, the agent sent 900',
      'icmp: 299 answered in the network, 300 and at most 0 void by the agent',
    ]);
  });

  it('differ when a document tells of fewer', () => {
    const run = changedRun(() => ({}));
    const without = { ...run, documents: run.documents.filter(({ pop, sequence }) => pop !== 'ams' || sequence !== 8) };
    expect(faults(without)).toEqual([
      'ams: document 9: expected document 8 before it; found none',
      'sent: 900 probes entered the network, the agent sent 600',
      'sent: 300 more in the network than by the agent up to the end of window 2026-01-01T00:00:20.000Z',
      'stamp: 600 answered in the network, 400 and at most 0 void by the agent',
      'icmp: 300 answered in the network, 200 and at most 0 void by the agent',
    ]);
  });

  it('differ when more are late at an edge than can be on their way', () => {
    const run = changedRun(({ dueMs }) => (dueMs >= 9800 && dueMs < 10_000 ? { lateMs: 250 } : {}));
    expect(faults(run)).toEqual([
      'sent: 6 fewer in the network than by the agent up to the end of window 2026-01-01T00:00:00.000Z',
    ]);
  });
});

describe('probes lost', () => {
  it('differ when they are in another window, though their sum is right', () => {
    const run = changedRun(({ dueMs }) => (dueMs === 5030 ? { fate: 'lost' } : {}));
    const other = changedRun(({ dueMs }) => (dueMs === 25_030 ? { fate: 'lost' } : {}));
    expect(faults({ truth: run.truth, documents: other.documents })).toEqual([
      'lost: 3 more in the network than by the agent up to the end of window 2026-01-01T00:00:00.000Z',
    ]);
    expect(faults({ truth: other.truth, documents: run.documents })).toEqual([
      'lost: 3 fewer in the network than by the agent up to the end of window 2026-01-01T00:00:00.000Z',
    ]);
  });

  it('may be more in the network when others are void, and by no more than these', () => {
    const run = changedRun((_, index) =>
      index % 100 === 0 ? { fate: index < 500 ? 'void_lost' : 'void_received' } : {},
    );
    const [pair] = verify(run).pairs;
    expect(pair).toMatchObject({ lost: { truth: 5, agent: 0 }, void: 9, verdict: 'ok' });
    expect(pair?.explanations).toEqual(['5 lost in the network only: 9 probes are void, sent and not measured']);
    const worse = withRows(run, (row) => [
      row.second === START_S + 25
        ? {
            ...row,
            probes: {
              ...row.probes,
              lost: row.probes.lost + 5,
              stamp_n: row.probes.stamp_n - 5,
              stamp_sum_us: 180_000,
            },
          }
        : row,
    ]);
    expect(faults(worse)).toContain('lost: 10 in the network, 0 and at most 9 void by the agent');
    const better = withRows(run, (row) => [
      { ...row, probes: { ...row.probes, lost: 0, icmp_n: row.probes.icmp_n + row.probes.lost } },
    ]);
    expect(verify(better).pairs[0]?.reasons.some((reason) => reason.startsWith('lost'))).toBe(false);
  });

  it('differ when the agent lost what the network delivered', () => {
    const run = changedRun(() => ({}));
    const { documents } = changedRun((_, index) => (index === 400 ? { fate: 'lost' } : {}));
    expect(faults({ truth: run.truth, documents })).toEqual([
      'lost: 0 in the network, 1 and at most 0 void by the agent',
      'lost: 1 fewer in the network than by the agent up to the end of window 2026-01-01T00:00:10.000Z',
      'stamp: 600 answered in the network, 599 and at most 0 void by the agent',
    ]);
  });

  it('differ when it was a reply of another kind', () => {
    const run = changedRun(({ dueMs, kind }) => (dueMs === 5030 && kind === 'icmp' ? { fate: 'lost' } : {}));
    const other = changedRun(({ dueMs, flow }) => (dueMs === 5030 && flow === 1 ? { fate: 'lost' } : {}));
    expect(faults({ truth: run.truth, documents: other.documents })).toEqual([
      'stamp: 600 answered in the network, 599 and at most 0 void by the agent',
      'icmp: 299 answered in the network, 300 and at most 0 void by the agent',
    ]);
  });
});

describe('delays', () => {
  it.each([
    [-51, false],
    [-49, true],
    [499, true],
    [501, false],
  ])('that are %i µs longer by the agent: accepted %s', (hostUs, isAccepted) => {
    const reasons = faults(changedRun(({ kind }) => ({ hostUs: kind === 'icmp' ? 0 : hostUs })));
    const mean = `stamp: mean round trip ${(12_000 + hostUs).toFixed(1)} µs by the agent, 11950.0 µs to 12500.0 µs expected`;
    expect(reasons).toEqual(isAccepted ? [] : [mean]);
  });

  it('may be longer by what is allowed', () => {
    const run = changedRun(({ kind }) => ({ hostUs: kind === 'icmp' ? 900 : 0 }));
    expect(faults(run, 1000)).toEqual([]);
    expect(faults(run)).toEqual(['icmp: mean round trip 12900.0 µs by the agent, 11950.0 µs to 12500.0 µs expected']);
  });

  it('may be longer by what the emulator was late to read, and no more than was allowed beside it', () => {
    const late = (hostUs: number): Run =>
      changedRun(({ kind }, index) => ({ hostUs: kind === 'icmp' ? 0 : hostUs, lagUs: index % 2 === 0 ? 3000 : 1000 }));
    expect(faults(late(2400))).toEqual([]);
    expect(verify(late(2400)).readLagUs).toBe(2000);
    expect(faults(late(2600))).toEqual([
      'stamp: mean round trip 14600.0 µs by the agent, 11950.0 µs to 14500.0 µs expected',
    ]);
  });

  it('are compared without those that the agent could not measure', () => {
    // The slow third is void: the mean of the network is 4 ms more than the agent's, and explains it.
    const slow = { fate: 'void_received', networkUs: 24_000 } as const;
    expect(faults(changedRun(({ dueMs }) => (dueMs < 10_000 ? slow : {})))).toEqual([]);
    // A second without a packet delivered has no least delay that would excuse anything.
    const late = changedRun(({ dueMs }) => {
      if (dueMs < 10_000) return { fate: 'void_received' };
      return dueMs < 11_000 ? { fate: 'lost' } : { hostUs: 700 };
    });
    expect(faults(late)).toHaveLength(2);
    const wrong = changedRun(({ dueMs }) => (dueMs < 10_000 ? slow : { networkUs: 12_000, hostUs: 7000 }));
    expect(faults(wrong)).toEqual([
      expect.stringContaining('stamp: mean round trip 19000.0 µs'),
      expect.stringContaining('icmp: mean round trip 19000.0 µs'),
    ]);
  });
});

describe('outages', () => {
  it('are the same when both sides have them at the same time', () => {
    const [pair] = verify(changedRun(outage(5000, 13_000))).pairs;
    const same = [{ startS: START_S + 5, lengthS: 8 }];
    expect(pair).toMatchObject({ verdict: 'ok', outages: { truth: same, agent: same } });
  });

  it.each([
    ['one second earlier', 'gggggggbbbbbbgggggggggggggggg', true],
    ['one second later', 'gggggggggbbbbbbggggggggggggggg', true],
    ['one second longer on both sides', 'gggggggbbbbbbbbggggggggggggggg', true],
    ['two seconds earlier', 'ggggggbbbbbbbbgggggggggggggggg', false],
    ['two seconds longer', 'ggggggggbbbbbbbbgggggggggggggg', false],
    ['absent', 'gggggggggggggggggggggggggggggg', false],
    ['interrupted', 'ggggggggbbbgbbgggggggggggggggg', false],
    ['followed by another one', 'ggggggggbbbbbbgggggggbbggggggg', false],
    ['unknown for a while', 'ggggggggbbuubbgggggggggggggggg', false],
  ])('by the agent that are %s', (_, letters, isAccepted) => {
    const reasons = faults(withSeconds(changedRun(outage(8000, 14_000)), letters.padEnd(30, 'g')));
    expect(reasons.length === 0).toBe(isAccepted);
    for (const reason of reasons) expect(reason).toMatch(/^(outages|seconds): /);
  });

  it('are not interrupted by seconds that the agent could not measure', () => {
    const run = changedRun((probe) => {
      const { fate } = outage(8000, 14_000)(probe);
      const isDeaf = probe.dueMs >= 10_000 && probe.dueMs < 17_000;
      if (isDeaf) return { fate: fate === 'lost' ? 'void_lost' : 'void_received' };
      return fate === undefined ? {} : { fate };
    });
    expect(run.documents.find(({ pop, sequence }) => pop === 'ams' && sequence === 8)?.peers[0]?.seconds).toBe(
      'uuuuuuuggg',
    );
    expect(faults(run)).toEqual([]);
  });

  it.each([
    [13, false],
    [14, true],
    [15, true],
    [16, true],
    [17, false],
    [30, false],
  ])('of one second may be one side’s alone when about half is lost: %i of 30, accepted %s', (lost, isAccepted) => {
    const run = changedRun((_, index) => (index >= 300 && index < 300 + lost ? { fate: 'lost' } : {}));
    const letters = `gggggggggg${lost > 15 ? 'g' : 'b'}`.padEnd(30, 'g');
    expect(faults(withSeconds(run, letters)).length === 0).toBe(isAccepted);
  });

  it('of two seconds and more may be one side’s alone only when each lost some of its probes', () => {
    const half = changedRun(({ dueMs }, index) =>
      dueMs >= 10_000 && dueMs < 14_000 && index % 2 === 0 ? { fate: 'lost' } : {},
    );
    expect(faults(withSeconds(half, 'ggggggggggbbbggggggggggggggggg'))).toEqual([]);
    // One probe a second: each second is within one probe of half, and the outage is one all the same.
    const sparse = steadyProbes(30).filter(({ dueMs, kind }) => dueMs % 1000 === 30 && kind === 'icmp');
    const run = runOf(
      sparse.map((probe) => ({ ...probe, ...outage(10_000, 13_000)(probe) })),
      3,
    );
    expect(faults(run)).toEqual([]);
    expect(faults(withSeconds(run, 'g'.repeat(30)))).toEqual([
      'outages: 1 (3 s from 2026-01-01T00:00:10.000Z) of the network are none by the agent',
    ]);
  });
});

describe('seconds', () => {
  it('that the agent calls unknown have probes that are void, or none', () => {
    const letters = `gggguu${'g'.repeat(24)}`;
    expect(
      faults(
        withSeconds(
          changedRun(() => ({})),
          letters,
        ),
      ),
    ).toEqual(['seconds: 54 probes sent in unknown seconds of window 2026-01-01T00:00:00.000Z, of which 0 are void']);
    expect(faults(changedRun(({ dueMs }) => (dueMs < 6000 ? { fate: 'void_received' } : {})))).toEqual([]);
    expect(faults(changedRun(({ dueMs }) => (dueMs < 6000 ? { fate: 'missed' } : {})))).toEqual([]);
  });

  it('that were measured are covered by the truth', () => {
    const run = changedRun(() => ({}));
    const { rows, errors, head } = run.truth;
    const until = <T extends { second: number }>(lines: readonly T[]): T[] =>
      lines.filter(({ second }) => second < START_S + 25);
    expect(faults({ ...run, truth: { head, rows: until(rows), errors: until(errors) } })[0]).toBe(
      'ams: measured at 2026-01-01T00:00:25.000Z, which the truth does not cover',
    );
    const from = <T extends { second: number }>(lines: readonly T[], firstS: number): T[] =>
      lines.filter(({ second }) => second >= START_S + firstS);
    const begun = (firstS: number): string[] =>
      faults({ ...run, truth: { head, rows: from(rows, firstS), errors: from(errors, firstS) } });
    expect(begun(2)[0]).toBe('ams: measured at 2026-01-01T00:00:00.000Z, which the truth does not cover');
    // The first probes may fall due in the second before that in which the network reads them.
    expect(begun(1).filter((fault) => fault.includes('cover'))).toEqual([]);
  });
});

describe('the emulator', () => {
  it('fails the verification where it had no room itself', () => {
    const overloaded = (row: TruthRow): TruthRow => {
      const dropped = { ...row.packets.dropped, overload: row.second === START_S + 4 ? 3 : 0 };
      return { ...row, packets: { ...row.packets, dropped } };
    };
    const run = changedRun(() => ({}));
    for (const from of POPS) {
      const oneWay = withRows(run, (row) => [row.from === from ? overloaded(row) : row]);
      expect(faults(oneWay)).toEqual(['overload: the emulator itself had no room for 3 packets']);
    }
    const [row] = run.truth.rows;
    if (!row) throw new Error('a row expected');
    const { probes } = runOf([], 1).truth.rows[0] ?? { probes: { ...row.probes, sent: 0 } };
    const toCollector = { ...overloaded({ ...row, second: START_S + 4 }), to: 'collector', probes };
    expect(faults({ ...run, truth: { ...run.truth, rows: [toCollector, ...run.truth.rows] } })).toEqual([
      'overload: the emulator itself had no room for 3 packets from or to the collector',
    ]);
  });

  it('fails it where it lost count of a probe itself', () => {
    const run = changedRun(() => ({}));
    const { documents } = changedRun((_, index) => (index === 0 ? { fate: 'void_received' } : {}));
    const first = run.truth.rows[0];
    const miscounted = withRows({ truth: run.truth, documents }, (row) => [
      row === first ? { ...row, probes: { ...row.probes, stamp_n: 19, stamp_sum_us: 19 * 12_000 } } : row,
    ]);
    expect(faults(miscounted)).toEqual(['truth: of 900 probes 0 were lost and 899 answered, which is not all']);
  });

  it.each([
    [[[990, 9, 1, 0]], 50],
    [[[989, 10, 1, 0]], 100],
    [[[0, 0, 0, 5]], Number.POSITIVE_INFINITY],
    [
      [
        [99, 0, 0, 0],
        [0, 0, 1, 0],
      ],
      50,
    ],
    [
      [
        [98, 0, 0, 0],
        [0, 0, 2, 0],
      ],
      200,
    ],
    [[[0, 0, 0, 0]], null],
    [[], null],
  ])('is as exact as its histograms say: %j is %s µs', (seconds, p99Us) => {
    const { truth, documents } = changedRun(() => ({}));
    const errors = seconds.map((packets, index) => ({ second: START_S + index, error_us: [50, 100, 200], packets }));
    expect(verify({ truth: { ...truth, errors }, documents }).emulatorErrorP99Us).toBe(p99Us);
  });
});

describe('the evidence', () => {
  const run = changedRun(() => ({}));
  const chain = run.documents.filter(({ pop }) => pop === 'ams');
  const others = run.documents.filter(({ pop }) => pop !== 'ams');
  const reasonsOf = (documents: Run['documents']): readonly string[] =>
    verify({ truth: run.truth, documents: [...documents, ...others] }).reasons;

  it('is taken in the order of its chain, however it is listed', () => {
    expect(faults({ truth: run.truth, documents: run.documents.toReversed() })).toEqual([]);
  });

  it('has every document', () => {
    expect(reasonsOf(chain.filter(({ sequence }) => sequence !== 8))).toEqual([
      'ams: document 9: expected document 8 before it; found none',
    ]);
    expect(reasonsOf(chain.slice(1))).toEqual(['ams: the documents before 8 are missing']);
    expect(reasonsOf([])).toEqual(['ams: no document']);
    expect(reasonsOf([...chain, ...chain.slice(2)])).toEqual([
      `ams: document 9: expected one document with this number, of digest ${chain[2]?.digest}; found the same document again`,
    ]);
  });

  it('names the digest of the document before', () => {
    const digest = 'x'.repeat(43);
    expect(
      reasonsOf(chain.map((document) => (document.sequence === 8 ? { ...document, prev: digest } : document))),
    ).toEqual([`ams: document 8: expected prev ${chain[0]?.digest}, the digest of document 7; found prev ${digest}`]);
  });

  it('has windows that follow one another', () => {
    const later = chain.map((document) => {
      const { window } = document;
      return document.sequence < 9
        ? document
        : { ...document, window: { ...window, start_unix_s: window.start_unix_s + 10 } };
    });
    expect(reasonsOf(rechained(later))).toContain(
      `ams: document 9: expected a window that begins where that of document 8 ends, at ${START_S + 20} s of Unix time; ` +
        'found 10 s that no window covers',
    );
  });

  it('is of the PoPs of the network', () => {
    const stranger = { ...others[0], pop: 'par' } as Run['documents'][number];
    expect(reasonsOf([...chain, stranger])).toEqual(['par: no PoP of this network']);
  });
});

describe('any run', () => {
  /** Random phases, lateness, losses, outages and host trouble in both directions. */
  function anyRun(seed: number): Run {
    const random = new Random(seed);
    const probes: Probe[] = [];
    for (const [from, to] of [
      ['ams', 'fra'],
      ['fra', 'ams'],
    ] as const) {
      const badS = Math.floor(random.next() * 20);
      const badEndS = badS + random.next() * 8;
      const baseUs = 1000 + Math.floor(random.next() * 50_000);
      for (const [kind, flow] of [
        ['stamp', 0],
        ['stamp', 1],
        ['icmp', 0],
      ] as const) {
        for (let dueMs = random.next() * 100; dueMs < 30_000; dueMs += 100) {
          const isBad = dueMs >= badS * 1000 && dueMs < badEndS * 1000;
          const isLost = random.next() < (isBad ? 1 : 0.02);
          const trouble = random.next();
          let fate: Probe['fate'] = isLost ? 'lost' : 'received';
          if (trouble < 0.01) fate = 'refused';
          else if (trouble < 0.02) fate = 'missed';
          else if (trouble < 0.03) fate = isLost ? 'void_lost' : 'void_received';
          const networkUs = baseUs + Math.floor(random.next() * 200);
          probes.push({
            from,
            to,
            kind,
            flow,
            dueMs,
            lateMs: random.next() * 20,
            fate,
            networkUs,
            hostUs: 150,
            lagUs: 0,
          });
        }
      }
    }
    return runOf(probes, 3);
  }

  const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

  it('verifies when both sides tell of the same probes', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(faults(anyRun(seed))).toEqual([]);
      }),
      { seed: 20_261_125, numRuns: 60 },
    );
  });

  it('does not when a single count of an agent is another one', () => {
    const places = fc.record({
      document: fc.nat(5),
      path: fc.nat(2),
      count: fc.constantFrom('received', 'lost', 'void'),
      by: fc.constantFrom(1, -1, 7),
    });
    fc.assert(
      fc.property(seeds, places, (seed, { document, path, count, by }) => {
        const run = anyRun(seed);
        const counts = run.documents[document]?.peers[0]?.paths[path]?.counts;
        if (!counts) throw new Error('a path expected');
        fc.pre(counts[count] + by >= 0);
        counts[count] += by;
        expect(verify({ truth: run.truth, documents: rechained(run.documents) }).verdict).toBe('differs');
      }),
      { seed: 20_261_125, numRuns: 60 },
    );
  });

  it('does not when a single count of the network is another one', () => {
    const places = fc.record({
      place: fc.nat(59),
      count: fc.constantFrom('sent', 'lost', 'stamp_n', 'icmp_n'),
      by: fc.constantFrom(1, -1, 7),
    });
    fc.assert(
      fc.property(seeds, places, (seed, { place, count, by }) => {
        const run = anyRun(seed);
        const changed = run.truth.rows[place];
        fc.pre(changed !== undefined && changed.probes[count] + by >= 0);
        const other = withRows(run, (row) =>
          row === changed ? [{ ...row, probes: { ...row.probes, [count]: row.probes[count] + by } }] : [row],
        );
        expect(verify(other).verdict).toBe('differs');
      }),
      { seed: 20_261_125, numRuns: 60 },
    );
  });
});
