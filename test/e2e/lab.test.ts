/** The whole product on emulated backbones with fixed seeds: what the agents sign is what the network did. */

import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { afterAll, describe, expect, it, onTestFailed } from 'vitest';
import type { SummaryPath } from '../../src/protocol/summary.ts';
import {
  because,
  firstWindowEndS,
  labMissing,
  type LabRun,
  pathsBetween,
  removeRun,
  runLab,
  THREE_POPS,
} from './lab-rig.ts';

const missing = labMissing();
const RUN_MS = 150_000;

/** A lab that runs once, for all tests of a block; one that has failed runs anew, so that a second chance is one. */
function lab(name: string, scenario: () => string, forS: number): () => Promise<LabRun> {
  let run: Promise<LabRun> | null = null;
  afterAll(async () => {
    if (run) removeRun(await run);
  });
  return () => {
    onTestFailed(() => {
      run = null;
    });
    run ??= runLab(name, scenario(), forS);
    return run;
  };
}

function three(name: string, seed: number, rest: string): string {
  return `${THREE_POPS}name: ${name}\nseed: ${seed}\n${rest}`;
}

/** A scenario of this repository with all its times divided. */
function hurried(file: string, divisor: number): string {
  const scenario = parse(readFileSync(file, 'utf8')) as { events: { at_s: number; for_s?: number }[] };
  for (const event of scenario.events) {
    event.at_s /= divisor;
    if (event.for_s !== undefined) event.for_s /= divisor;
  }
  return stringify({ ...scenario, window_s: 5 });
}

/** Everything that is wrong, so that a failure shows it. */
function expectVerified({ verification, status, said }: LabRun): void {
  const differing = verification.pairs.filter(({ verdict }) => verdict !== 'ok');
  expect({
    status,
    reasons: verification.reasons,
    differing: differing.map(({ from, to, reasons }) => ({ from, to, reasons })),
    said: status === 0 ? '' : said,
  }).toEqual({ status: 0, reasons: [], differing: [], said: '' });
}

/** A pair whose peer is not up yet is out for a second or two: no outage of the scenario is so short. */
const START_S = 5;

/** Pairs that have had outages, with how many there were by the network's account and by the agent's. */
function outages({ verification }: LabRun): string[] {
  const long = ({ lengthS }: { lengthS: number }): boolean => lengthS >= START_S;
  return verification.pairs
    .map(({ from, to, outages: { truth, agent } }) => ({ from, to, seen: [truth, agent].map((of) => of.filter(long)) }))
    .filter(({ seen }) => seen.some(({ length }) => length > 0))
    .map(({ from, to, seen }) => [from, to, ...seen.map(({ length }) => length)].join(' '));
}

/** Losses by flow, of one class. */
function lossByFlow(paths: readonly SummaryPath[], name: string): Map<number, { received: number; lost: number }> {
  const flows = new Map<number, { received: number; lost: number }>();
  for (const { flow, counts, class: className } of paths) {
    if (className !== name) continue;
    const sum = flows.get(flow) ?? { received: 0, lost: 0 };
    flows.set(flow, { received: sum.received + counts.received, lost: sum.lost + counts.lost });
  }
  return flows;
}

function total(paths: readonly SummaryPath[], figure: (path: SummaryPath) => number): number {
  return paths.reduce((sum, path) => sum + figure(path), 0);
}

describe.skipIf(missing !== null)(`the lab${because(missing)}`, { timeout: RUN_MS }, () => {
  describe('on a calm day', () => {
    const run = lab('calm', () => readFileSync('config/lab/calm.yaml', 'utf8'), 20);

    it('is measured as it is', async () => {
      const seen = await run();
      expectVerified(seen);
      const { pairs } = seen.verification;
      expect(pairs).toHaveLength(6);
      for (const pair of pairs) expect(pair.sent.agent).toBeGreaterThan(1000);
    });
  });

  describe('with a dead member in an ECMP group', () => {
    const scenario = three('ecmp', 7, 'links: [{ from: hkg1, to: sin1, ecmp: [{}, {}, {}, { loss: 1 }] }]\n').replace(
      'flows: 4',
      'flows: 16',
    );
    const run = lab('ecmp', () => scenario, 15);

    it('loses whole flows and no part of any other', async () => {
      const seen = await run();
      expectVerified(seen);
      const flows = [...lossByFlow(pathsBetween(seen, 'hkg1', 'sin1'), 'stamp').values()];
      expect(flows).toHaveLength(16);
      const dead = flows.filter(({ received }) => received === 0);
      // A quarter of sixteen flows, give or take what a hash does.
      expect(dead.length).toBeGreaterThanOrEqual(1);
      expect(dead.length).toBeLessThanOrEqual(8);
      for (const { lost } of dead) expect(lost).toBeGreaterThan(100);
    });
  });

  describe('that loses packets in one direction', () => {
    const rest = 'links: [{ from: hkg1, to: sin1, loss: 0.1 }, { from: tyo1, to: hkg1, loss: 0.1 }]\n';
    const run = lab('asymmetric', () => three('asymmetric', 11, rest), 25);

    it.each([
      ['forward', 'hkg1', 'sin1', 'forward', 'reverse'],
      ['reverse', 'hkg1', 'tyo1', 'reverse', 'forward'],
    ] as const)('tells that it is the %s one', async (_, from, to, lossy, sound) => {
      const seen = await run();
      expectVerified(seen);
      const stamp = pathsBetween(seen, from, to).filter(({ kind }) => kind === 'stamp');
      const lost = total(stamp, ({ counts }) => counts.lost);
      const told = total(stamp, ({ loss_direction: direction }) => direction?.[lossy] ?? 0);
      expect(lost).toBeGreaterThan(50);
      expect(total(stamp, ({ loss_direction: direction }) => direction?.[sound] ?? 0)).toBe(0);
      // Where nothing came back afterwards it cannot be told.
      expect(told).toBeGreaterThan(0.9 * lost);
    });
  });

  describe('whose collector is cut off', () => {
    const run = lab('cut-off', () => three('cut-off', 3, 'events: [{ at_s: 3, for_s: 17, isolate: collector }]\n'), 45);

    it('delivers everything afterwards, and the measuring does not notice', async () => {
      const seen = await run();
      expectVerified(seen);
      for (const { lost } of seen.verification.pairs) expect(lost.agent).toBe(lost.truth);
      const windows = new Set(seen.documents.map(({ window }) => window.start));
      for (const pop of ['hkg1', 'sin1', 'tyo1']) {
        const own = seen.documents.filter((document) => document.pop === pop);
        expect(own.length).toBeGreaterThanOrEqual(windows.size - 1);
      }
    });
  });

  describe('with a PoP that is cut off', () => {
    const run = lab('isolated', () => three('isolated', 5, 'events: [{ at_s: 6, for_s: 7, isolate: sin1 }]\n'), 25);

    it('has one outage of seven seconds with this PoP, and none between the others', async () => {
      const seen = await run();
      expectVerified(seen);
      expect(outages(seen)).toEqual(['hkg1 sin1 1 1', 'sin1 hkg1 1 1', 'sin1 tyo1 1 1', 'tyo1 sin1 1 1']);
    });
  });

  describe('with nothing but IPv6', () => {
    const scenario = three('v6', 6, 'families: [ipv6]\n')
      .replace('kind: icmp,', 'kind: icmp, family: ipv6,')
      .replace('kind: stamp,', 'kind: stamp, family: ipv6,');
    const run = lab('v6', () => scenario, 12);

    it('is measured and delivers', async () => {
      const seen = await run();
      expectVerified(seen);
      expect(pathsBetween(seen, 'hkg1', 'sin1').every(({ family }) => family === 'ipv6')).toBe(true);
    });
  });

  describe('with an MTU black hole', () => {
    const links =
      'links: [{ from: hkg1, to: sin1, mtu: { bytes: 1400, black_hole: true } }, { from: hkg1, to: tyo1, mtu: { bytes: 1400 } }]';
    const large = '  - { name: large, kind: stamp, interval_ms: 500, flows: 1, source_port: 18650, size_bytes: 1472 }';
    const scenario = three('mtu', 8, links).replace('probes:\n', `probes:\n${large}\n`);
    const run = lab('mtu', () => scenario, 15);

    it('loses the large packets without a word, and the small ones go through', async () => {
      const seen = await run();
      expectVerified(seen);
      // While the peer is not up yet small packets are lost as well.
      const paths = pathsBetween(seen, 'hkg1', 'sin1', firstWindowEndS(seen, 'sin1'));
      const ofLarge = paths.filter((path) => path.class === 'large');
      const lost = total(ofLarge, ({ counts }) => counts.lost);
      expect(total(ofLarge, ({ counts }) => counts.received)).toBe(0);
      expect(lost).toBeGreaterThan(10);
      expect(total(ofLarge, ({ counts }) => counts.unreachable)).toBe(0);
      expect(total(paths, ({ counts }) => counts.lost)).toBe(lost);
    });

    it('hears the router where there is one that says so', async () => {
      const seen = await run();
      const ofLarge = pathsBetween(seen, 'hkg1', 'tyo1').filter((path) => path.class === 'large');
      // From the router's first error on the kernel knows the MTU of the path, and refuses what is larger: no loss.
      expect(total(ofLarge, ({ counts }) => counts.received)).toBe(0);
      expect(total(ofLarge, ({ counts }) => counts.refused)).toBeGreaterThan(5);
    });
  });

  describe('with everything that a line can do, and clocks that are wrong', () => {
    const behaviour = [
      'delay_ms: 10, distribution: normal, spread_ms: 1, jitter_ms: 2, loss: 0.01, duplicate: 0.03, corrupt: 0.02',
      'bursts: { to_bad: 0.01, to_good: 0.2 }, reorder: { ratio: 0.05, by_ms: 250 }',
      'rate: { kbit_per_s: 2000, queue_ms: 50 }',
    ];
    const run = lab(
      'everything',
      () =>
        three('everything', 42, '')
          .replace('{ delay_ms: 10 }', `{ ${behaviour.join(', ')} }`)
          .replace('{ name: sin1 }', '{ name: sin1, clock_offset_ms: 50 }')
          .replace('{ name: tyo1 }', '{ name: tyo1, clock_offset_ms: -1234.5 }'),
      25,
    );

    it('is measured as it is', async () => {
      const seen = await run();
      expectVerified(seen);
      const paths = pathsBetween(seen, 'hkg1', 'sin1');
      for (const figure of ['lost', 'duplicate', 'reordered'] as const) {
        expect(total(paths, ({ counts }) => counts[figure])).toBeGreaterThan(10);
      }
    });
  });

  describe('on a bad day', () => {
    const run = lab('bad-day', () => hurried('config/lab/bad-day.yaml', 6), 90);

    it('is measured as it is', async () => {
      const seen = await run();
      expectVerified(seen);
    });

    it('has the dead member, the isolation and the lossy pair where they were', async () => {
      const seen = await run();
      const dead = [...lossByFlow(pathsBetween(seen, 'hkg1', 'lax1'), 'stamp').values()].filter(
        ({ lost }) => lost > 100,
      );
      expect(dead.length).toBeGreaterThanOrEqual(1);
      const isolated = ['hkg1', 'sin1', 'lax1', 'fra1'].flatMap((peer) => [`${peer} tyo1 1 1`, `tyo1 ${peer} 1 1`]);
      expect(outages(seen).toSorted()).toEqual(isolated.toSorted());
      const lossy = pathsBetween(seen, 'sin1', 'hkg1');
      expect(total(lossy, ({ counts }) => counts.lost)).toBeGreaterThan(5);
    });
  });
});
