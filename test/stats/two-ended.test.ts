/** Both ends of a path: a table of verdicts worked out by hand, and emulated paths on which nobody errs. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DirectionalLoss } from '../../src/stats/directional-loss.ts';
import { reconcile, type ReflectorAccount, type SenderAccount } from '../../src/stats/two-ended.ts';

const COUNTS = { received: 600, lost: 0, void: 0, late: 0, duplicate: 0 };
const END = { partial: false, clockErrorNs: 1_000_000 };

/** Of 600 probes 100 ms apart all came back, within 12 ms. */
function sender(overrides: Partial<SenderAccount> = {}, counts: Partial<SenderAccount['counts']> = {}): SenderAccount {
  return {
    direction: { forward: 0, reverse: 0, unresolved: 0, open: 0 },
    intervalMs: 100,
    schedule: 'periodic',
    tickMs: 5,
    tmaxMs: 3000,
    rttMaxNs: 12_000_000,
    end: END,
    ...overrides,
    counts: { ...COUNTS, ...counts },
  };
}

function reflector(received: number, replied = received, end: Partial<ReflectorAccount['end']> = {}): ReflectorAccount {
  return { session: { received, replied }, end: { ...END, ...end } };
}

function directed(forward: number, reverse: number, unresolved = 0, open = 0): SenderAccount {
  const lost = forward + reverse + unresolved + open;
  return sender({ direction: { forward, reverse, unresolved, open } }, { received: 600 - lost, lost });
}

describe('the tolerance', () => {
  // ceil((rtt max + both clocks + tick + interval / 2) / interval) + 2
  it.each<[string, SenderAccount, ReflectorAccount | null, number]>([
    ['(12 + 2 + 5 + 50) / 100', sender(), reflector(600), 3],
    ['a longer way: (240 + 2 + 5 + 50) / 100', sender({ rttMaxNs: 240_000_000 }), reflector(600), 5],
    ['a worse clock: (12 + 1 + 400 + 5 + 50) / 100', sender(), reflector(600, 600, { clockErrorNs: 400_000_000 }), 7],
    ['no clock known: (12 + 5 + 50) / 100', sender(), reflector(600, 600, { clockErrorNs: null }), 3],
    ['a dense stream: (12 + 2 + 5 + 0.5) / 1', sender({ intervalMs: 1 }), reflector(600), 22],
    ['clocks as bad as the window is long: as if unknown', sender(), reflector(600, 600, { clockErrorNs: 60e9 }), 3],
    [
      'a sample beyond Tmax, which none can be: (3000 + 2 + 5 + 50) / 100',
      sender({ rttMaxNs: 1e15 }),
      reflector(600),
      33,
    ],
    ['no sample, so Tmax: (3000 + 2 + 5 + 50) / 100', sender({ rttMaxNs: null }), reflector(600), 33],
    ['a Poisson stream: 0.69 + 5 * sqrt(0.69) = 4.84', sender({ schedule: 'poisson' }), reflector(600), 7],
    ['late probes, each of which may belong to the next window', sender({}, { lost: 4, late: 4 }), reflector(600), 7],
    ['no other end: (12 + 5 + 50) / 100', sender(), null, 3],
  ])('%s', (_, account, other, tolerance) => {
    expect(reconcile(account, other).tolerance).toBe(tolerance);
  });
});

describe('the verdict', () => {
  // The tolerance is 3 in all of these.
  it.each<[string, SenderAccount, ReflectorAccount, 'agrees' | 'disputed']>([
    ['nothing was lost', sender(), reflector(600), 'agrees'],
    ['probes crossed the edges of the window', sender(), reflector(597), 'agrees'],
    ['probes of the window before came in', sender(), reflector(603), 'agrees'],
    ['fewer arrived than came back', sender(), reflector(596), 'disputed'],
    ['fewer were answered than came back', sender(), reflector(600, 596), 'disputed'],
    ['more arrived than were sent', sender(), reflector(604), 'disputed'],
    ['more arrived, but copies of replies came as well', sender({}, { duplicate: 5 }), reflector(605), 'agrees'],
    ['lost on the way there', directed(50, 0), reflector(550), 'agrees'],
    ['lost on the way there, it is said, but it arrived', directed(50, 0), reflector(600), 'disputed'],
    ['lost on the way back', directed(0, 50), reflector(600), 'agrees'],
    ['lost on the way back, it is said, but it never arrived', directed(0, 50), reflector(550), 'disputed'],
    [
      'not answered, as the reflector says itself, with numbers given back',
      directed(50, 0),
      reflector(600, 550),
      'agrees',
    ],
    ['not answered, with gaps in the numbers', directed(0, 50), reflector(600, 550), 'agrees'],
    ['directions unknown: lost there', directed(0, 0, 30, 20), reflector(550), 'agrees'],
    ['directions unknown: lost on the way back', directed(0, 0, 30, 20), reflector(600), 'agrees'],
    ['directions unknown: fewer than came back', directed(0, 0, 30, 20), reflector(540), 'disputed'],
    ['no numbers', sender({ direction: null }, { received: 550, lost: 50 }), reflector(575), 'agrees'],
    ['void probes arrived', sender({}, { received: 500, void: 100 }), reflector(600), 'agrees'],
    ['void probes did not arrive', sender({}, { received: 500, void: 100 }), reflector(500), 'agrees'],
    [
      'the directions of 20 losses of the window before',
      sender({ direction: { forward: 20, reverse: 0, unresolved: 0, open: 0 } }),
      reflector(600),
      'agrees',
    ],
    ['an outage both ways', sender({ rttMaxNs: null }, { received: 0, lost: 600 }), reflector(0), 'agrees'],
  ])('%s', (_, account, other, verdict) => {
    expect(reconcile(account, other)).toMatchObject({
      verdict,
      reason: null,
      sent: account.counts.lost + account.counts.void + account.counts.received,
    });
  });

  it.each<[string, SenderAccount, ReflectorAccount | null]>([
    ['no_document', sender(), null],
    ['not_reflected', sender(), { session: null, end: END }],
    ['partial_window', sender({ end: { ...END, partial: true } }), reflector(700)],
    ['partial_window', sender(), reflector(100, 100, { partial: true })],
    ['clock_unknown', sender(), reflector(500, 500, { clockErrorNs: null })],
    ['clock_unknown', sender({ end: { ...END, clockErrorNs: null } }), reflector(500)],
  ])('is unknown: %s', (reason, account, other) => {
    expect(reconcile(account, other)).toMatchObject({ verdict: 'unknown', reason });
  });

  it('agrees without knowing the clocks where there is nothing to explain', () => {
    const other = reflector(600, 600, { clockErrorNs: null });
    expect(reconcile(sender(), other)).toMatchObject({ verdict: 'agrees', reason: null });
  });
});

const WINDOW_MS = 10_000;
const TICK_MS = 5;
const NO_PROBE = { late: 0, queued: 0, fate: 'answered' } as const;
const FATES = ['answered', 'lost_there', 'lost_back', 'reply_refused', 'not_sent', 'void'] as const;

interface Emulation {
  intervalMs: number;
  thereMs: number;
  backMs: number;
  /** The reflector's clock minus the sender's; the bounds of both allow for it. */
  offsetMs: number;
  /** Of each window in turn. */
  phases: number[];
  /** Of each probe in turn: how late it was sent and how long queues held it, 0 to 1, and what became of it. */
  probes: { late: number; queued: number; fate: (typeof FATES)[number] }[];
  /** What becomes of all that falls due for a while, around an edge of the second window. */
  outage: { edge: 1 | 2; beforeMs: number; lengthMs: number; fate: (typeof FATES)[number] };
}

const fates = (weight: number): fc.Arbitrary<(typeof FATES)[number]> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant('answered' as const) },
    { weight, arbitrary: fc.constantFrom(...FATES) },
  );

const emulation = (weight: number, outageMsMax: number): fc.Arbitrary<Emulation> =>
  fc.record({
    outage: fc.record({
      edge: fc.constantFrom(1 as const, 2 as const),
      beforeMs: fc.integer({ min: 0, max: 1500 }),
      lengthMs: fc.constantFrom(0, outageMsMax / 2, outageMsMax),
      fate: fc.constantFrom(...FATES),
    }),
    intervalMs: fc.constantFrom(20, 50, 333),
    // The edges are where a wrong tolerance would show.
    thereMs: fc.constantFrom(0, 1, 400),
    backMs: fc.constantFrom(0, 1, 400),
    offsetMs: fc.constantFrom(-300, 0, 300),
    phases: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 3, maxLength: 3 }),
    probes: fc.array(
      fc.record({
        late: fc.double({ min: 0, max: 1, noNaN: true }),
        queued: fc.double({ min: 0, max: 1, noNaN: true }),
        fate: fates(weight),
      }),
      { minLength: 20, maxLength: 200 },
    ),
  });

/** Both accounts of each of three windows, by a sender and a reflector that count right. */
function accountsOf(run: Emulation): { sender: SenderAccount; reflector: ReflectorAccount }[] {
  const { intervalMs, thereMs, backMs, offsetMs, outage } = run;
  let probe = 0;
  let arrivedBefore = 0;
  const sent = run.phases.flatMap((phase, window) => {
    const first = window * WINDOW_MS + phase * intervalMs;
    const count = Math.ceil(((window + 1) * WINDOW_MS - first) / intervalMs);
    return Array.from({ length: count }, (_, at) => {
      const { late, queued, ...own } = run.probes[probe++ % run.probes.length] ?? NO_PROBE;
      const dueMs = first + at * intervalMs;
      const sinceMs = dueMs - (outage.edge * WINDOW_MS - outage.beforeMs);
      const fate = sinceMs >= 0 && sinceMs < outage.lengthMs ? outage.fate : own.fate;
      const sentMs = dueMs + late * (TICK_MS + intervalMs / 2);
      // A flow keeps its order.
      const arrivedMs = Math.max(arrivedBefore, sentMs + thereMs + (queued * intervalMs) / 2);
      arrivedBefore = arrivedMs;
      return { window, fate, sentMs, arrivedMs };
    });
  });
  let number = 0;
  const direction = new DirectionalLoss();
  return run.phases.map((_, window) => {
    const counts = { ...COUNTS, received: 0 };
    let rttMaxNs: number | null = null;
    for (const { fate, sentMs, arrivedMs } of sent.filter((one) => one.window === window)) {
      if (fate === 'answered') {
        counts.received += 1;
        direction.addReceived(number);
        rttMaxNs = Math.max(rttMaxNs ?? 0, (arrivedMs - sentMs + backMs) * 1e6);
      } else if (fate === 'void') {
        counts.void += 1;
        direction.addVoid();
      } else if (fate !== 'not_sent') {
        counts.lost += 1;
        direction.addLost();
      }
      if (fate === 'answered' || fate === 'lost_back' || fate === 'void') number += 1;
    }
    const arrived = sent.filter(({ fate, arrivedMs }) => {
      const at = Math.floor((arrivedMs + offsetMs) / WINDOW_MS);
      return at === window && fate !== 'lost_there' && fate !== 'not_sent';
    });
    const replied = arrived.filter(({ fate }) => fate !== 'reply_refused').length;
    const end = { partial: false, clockErrorNs: 150_000_000 };
    const parts = { intervalMs, schedule: 'periodic' as const, tickMs: TICK_MS, tmaxMs: 3000, rttMaxNs, end };
    return {
      sender: { counts, direction: direction.take(), ...parts },
      reflector: { session: { received: arrived.length, replied }, end },
    };
  });
}

describe('two ends that count right', () => {
  it('agree, whatever was lost where, however far the clocks are apart within their bounds', () => {
    fc.assert(
      fc.property(emulation(6, 1500), (run) => {
        // The first window has no one before it, and of the last one the rest never arrives.
        const [, middle] = accountsOf(run);
        if (!middle) throw new Error('three windows expected');
        expect(reconcile(middle.sender, middle.reflector)).toMatchObject({ verdict: 'agrees' });
      }),
      { numRuns: 500 },
    );
  });

  it('are disputed when one of them leaves out, or makes up, more than twice what may differ', () => {
    fc.assert(
      fc.property(emulation(0, 0), fc.constantFrom(-1, 1), (run, sign) => {
        const [, middle] = accountsOf(run);
        if (!middle?.reflector.session) throw new Error('three windows expected');
        const { tolerance } = reconcile(middle.sender, middle.reflector);
        const wrong = middle.reflector.session.received + sign * (2 * tolerance + 1);
        fc.pre(wrong >= 0);
        const session = { received: wrong, replied: wrong };
        expect(reconcile(middle.sender, { ...middle.reflector, session })).toMatchObject({ verdict: 'disputed' });
      }),
    );
  });
});
