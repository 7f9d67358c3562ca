/**
 * CLOCK_REALTIME itself is set, by ten seconds and back, under the product's threads and the kernel's stamps. It is the
 * whole machine's clock: for a machine that is nobody else's, alone and when asked for.
 *
 *     POPPROBE_TEST_SETS_CLOCK=1 npx vitest run test/honesty/real-clock-step.test.ts
 */

import { afterEach, describe, expect, it } from 'vitest';
import { CLOCK_REALTIME } from '../../src/linux/constants.ts';
import { type Probing, type Reflecting, startProbing, startReflecting } from '../../src/probe/probing.ts';
import { rootMissing } from '../linux/privileges.ts';
import { nowNs } from './now.ts';
import { type PeerPlan, probePlan, reflectorPlan } from './plans.ts';
import { Verdict } from './verdict.ts';

const LOCAL = '127.0.45.1';
const PEER = '127.0.45.2';
const PEERS: PeerPlan[] = [
  { name: 'stamp', address: PEER },
  { name: 'icmp', address: PEER, kind: 'icmp' },
];
const STEPS_S = [10, -10, -10, 10];
const PROBES_BETWEEN = 60;
const SECOND_NS = 1_000_000_000n;

const asked = process.env['POPPROBE_TEST_SETS_CLOCK'] === '1';
const missing = rootMissing() ?? (asked ? null : 'sets the clock of the machine: POPPROBE_TEST_SETS_CLOCK=1');

/** Unix ns by the wall clock as it was before any step: what it is set back to. */
class TrueTime {
  readonly #wallNs = BigInt(Date.now()) * 1_000_000n;
  readonly #monoNs = process.hrtime.bigint();

  ns(): bigint {
    return this.#wallNs + (process.hrtime.bigint() - this.#monoNs);
  }
}

async function setClock(ns: bigint): Promise<void> {
  const { default: koffi } = await import('koffi');
  const settime = koffi.load(null).func('int clock_settime(int, intptr_t)') as (clock: number, at: number) => number;
  const timespec = BigInt64Array.of(ns / SECOND_NS, ns % SECOND_NS);
  if (settime(CLOCK_REALTIME, Number(koffi.address(timespec.buffer))) !== 0) throw new Error('the clock cannot be set');
}

describe.skipIf(missing)(`the machine's clock (${missing ?? 'as root'})`, () => {
  let reflecting: Reflecting;
  let probing: Probing;
  const time = new TrueTime();

  afterEach(async () => {
    await setClock(time.ns());
    await probing.stop();
    await reflecting.stop();
  });

  it('is set while probes are out: every reply counts, no delay has the step in it, each step is counted', async () => {
    const fail = (error: unknown): void => {
      throw error;
    };
    const plan = probePlan({ locals: [LOCAL], peers: PEERS, intervalMs: 4, rememberS: 16 });
    reflecting = await startReflecting(reflectorPlan(plan, [PEER]), fail);
    probing = await startProbing(plan, fail);
    const due = (): number => probing.ring.head(0) + probing.ring.head(1);
    const more = async (): Promise<void> => {
      const target = due() + PROBES_BETWEEN;
      await expect.poll(due, { timeout: 10_000, interval: 2 }).toBeGreaterThan(target);
    };
    await more();
    let offsetNs = 0n;
    for (const seconds of STEPS_S) {
      offsetNs += BigInt(seconds) * SECOND_NS;
      await setClock(time.ns() + offsetNs);
      await more();
    }
    const untilNs = nowNs();
    const verdict = (): Verdict => Verdict.ofRunning(plan, probing.ring.views, probing.counters, untilNs);
    await expect.poll(() => verdict().isFinal, { timeout: 10_000 }).toBe(true);
    const found = verdict();
    expect(found.counters.clock_steps).toBe(STEPS_S.length);
    expect(Math.abs(found.counters.clock_step_max_ns / 1e9 - 10)).toBeLessThan(0.1);
    const all = found.all();
    expect(all).toMatchObject({ lost: 0, refused: 0, void: 0, received: all.due - all.missed });
    const known = [...found.samples('stamp'), ...found.samples('icmp')]
      .map(({ netNs }) => netNs)
      .filter((ns) => ns > 0);
    expect(known.length).toBeGreaterThan(all.received / 2);
    expect(Math.max(...known)).toBeLessThan(1e9);
    expect(found.samples('icmp').filter(({ netNs }) => netNs <= 0)).toEqual([]);
  });
});
