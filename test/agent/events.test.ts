/** What becomes a record, second by second: from a real ring, the counters of the probing thread and a clock that jumps. */

import { beforeEach, describe, expect, it } from 'vitest';
import { Events, type EventsParts } from '../../src/agent/events.ts';
import { PairWatch } from '../../src/agent/pair-watch.ts';
import { sealDelayNs } from '../../src/agent/windows.ts';
import { PopprobeError } from '../../src/base/errors.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_MS, NS_PER_S } from '../../src/base/units.ts';
import type { EngineCounter } from '../../src/probe/health.ts';
import type { RecordEvent } from '../../src/protocol/record.ts';
import { FakeClock } from '../probe/fake-clock.ts';
import { pathPlan, RingRig, TMAX_NS } from './ring-rig.ts';
import { recordingLog } from './spool-fixture.ts';

const TICK_NS = 5 * NS_PER_MS;
const DELAY_NS = sealDelayNs(TMAX_NS, TICK_NS);
const PATH = pathPlan({ peer: 'sin1', capacity: 8 });
const PLAN = { tmaxNs: TMAX_NS, tickNs: TICK_NS, paths: [PATH] };

let clock: FakeClock;
let rig: RingRig;
let events: Events;
let found: { event: RecordEvent; atUnixMs: number }[];
let documents: { addEvent: EventsParts['documents']['addEvent']; isRefusing: boolean };
let degraded: { reason: string; sinceMs: number } | null;
let traced: string[];
let tooSoon: boolean;
let window: number;
let held: { course: Pick<RingRig, 'probing' | 'reflecting'> & { pairs: PairWatch } };

beforeEach(() => {
  clock = new FakeClock();
  rig = new RingRig([PATH]);
  found = [];
  degraded = null;
  traced = [];
  tooSoon = false;
  window = 0;
  documents = { isRefusing: false, addEvent: (event, atUnixMs) => found.push({ event, atUnixMs }) };
  held = {
    course: { probing: rig.probing, reflecting: rig.reflecting, pairs: new PairWatch(PLAN, rig.probing.ring, clock) },
  };
  events = new Events({
    clock,
    held: held as EventsParts['held'],
    documents,
    spool: { status: () => ({ degraded }) },
    sealing: {
      get readUntilNs() {
        return window;
      },
    },
    traces: {
      pairBad(peer, family) {
        traced.push(`${peer} ${family}`);
        if (tooSoon) throw new PopprobeError('trace_too_soon', { expected: '', found: '', remedy: '' });
      },
      pairGood: (peer) => void traced.push(`${peer} is good`),
    },
    log: recordingLog().log,
  });
});

/** Seconds pass, and the agent looks after each. */
function look(seconds = 1): void {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(NS_PER_S);
    events.turn();
  }
}

const kinds = (): string[] => found.map(({ event }) => event.kind);

describe('a quiet agent', () => {
  it('has no events', () => {
    look(200);
    expect(found).toEqual([]);
  });
});

describe('a pair', () => {
  it('that turns bad and good again is one event each, at the end of the second that decided', () => {
    clock.read();
    const startNs = clock.monoNs;
    const startMs = Math.round(Number(clock.wallNs / 1_000_000n));
    for (let second = 0; second < 3; second += 1) rig.sent(0, startNs + second * NS_PER_S);
    for (let second = 3; second < 6; second += 1) rig.received(0, startNs + second * NS_PER_S, { rawNs: NS_PER_MS });
    clock.advance(DELAY_NS + 0.4 * NS_PER_S);
    look(12);
    expect(found).toEqual([
      { event: { kind: 'pair', peer: 'sin1', state: 'bad', family: 'ipv4' }, atUnixMs: startMs + 3000 },
      { event: { kind: 'pair', peer: 'sin1', state: 'good', family: 'ipv4' }, atUnixMs: startMs + 6000 },
    ]);
    expect(traced).toEqual(['sin1 ipv4', 'sin1 is good']);
  });

  it('is an event also when it is too soon for another trace', () => {
    tooSoon = true;
    clock.read();
    for (let second = 0; second < 3; second += 1) rig.sent(0, clock.monoNs + second * NS_PER_S);
    look(8);
    expect(kinds()).toEqual(['pair']);
    expect(traced).toEqual(['sin1 ipv4']);
  });
});

describe('a clock', () => {
  it.each([
    ['forward', 2.5 * NS_PER_S],
    ['back', -10 * NS_PER_S],
    ['by a little', 2 * NS_PER_MS],
  ])('that jumps %s is one event with the jump, at the time after it', (_how, stepNs) => {
    look(3);
    clock.step(stepNs);
    look();
    expect(found).toEqual([
      { event: { kind: 'clock_step', step_ns: stepNs }, atUnixMs: Number(clock.wallNs / 1_000_000n) },
    ]);
    look(3);
    expect(found).toHaveLength(1);
  });

  it('that jumps again and again is told of a few times a window, and counted after that', () => {
    for (let second = 0; second < LIMITS.clockStepsPerWindowMax + 3; second += 1) {
      clock.step(NS_PER_S);
      look();
    }
    expect(kinds()).toHaveLength(LIMITS.clockStepsPerWindowMax);
    expect(events.clockStepsUntold).toBe(3);
    window = clock.monoNs;
    clock.step(-NS_PER_S);
    look();
    expect(found.at(-1)?.event).toEqual({ kind: 'clock_step', step_ns: -NS_PER_S });
    expect(events.clockStepsUntold).toBe(3);
  });
});

describe('the instrument', () => {
  it.each<[EngineCounter, string]>([
    ['stalls', 'stalls'],
    ['socket_drops', 'socket_drops'],
    ['suspends', 'suspended'],
    ['slots_skipped', 'ring_overwritten'],
  ])('whose probing thread counts %s is sick of %s, once, and well after a minute', (counter, reason) => {
    rig.probing.counters.add(counter, 2);
    look(2);
    expect(found.map(({ event }) => event)).toEqual([{ kind: 'instrument', state: 'sick', reasons: [reason] }]);
    look(LIMITS.instrumentWellNs / NS_PER_S);
    expect(found.map(({ event }) => event).at(-1)).toEqual({ kind: 'instrument', state: 'well', reasons: [] });
    expect(found).toHaveLength(2);
  });

  it('whose reflecting thread found its socket full is sick of that too', () => {
    rig.reflecting.counters.add('drop_unknown_sender', 7);
    look();
    expect(found).toEqual([]);
    rig.reflecting.counters.add('drop_socket_full', 2);
    look(2);
    expect(found.map(({ event }) => event)).toEqual([{ kind: 'instrument', state: 'sick', reasons: ['socket_drops'] }]);
  });

  it('whose ring is overwritten before it is read is sick of that', () => {
    for (let probe = 0; probe < 10; probe += 1) rig.missed(0, clock.monoNs + probe);
    look();
    expect(found.map(({ event }) => event)).toEqual([
      { kind: 'instrument', state: 'sick', reasons: ['ring_overwritten'] },
    ]);
  });

  it('is not sick of what another ring has counted before it came into use', () => {
    const other = new RingRig([PATH]);
    for (let probe = 0; probe < 10; probe += 1) other.missed(0, clock.monoNs + probe);
    held.course = {
      probing: { ...other.probing, counters: rig.probing.counters },
      reflecting: rig.reflecting,
      pairs: new PairWatch(PLAN, other.probing.ring, clock),
    };
    look(2);
    expect(found).toEqual([]);
    other.missed(0, clock.monoNs);
    look();
    expect(kinds()).toEqual(['instrument']);
  });

  it('whose disk takes documents and does not let them go is sick as well', () => {
    degraded = { reason: 'EROFS', sinceMs: 0 };
    look();
    expect(found.map(({ event }) => event)).toEqual([
      { kind: 'instrument', state: 'sick', reasons: ['spool_refuses'] },
    ]);
  });

  it('whose disk refuses is sick for as long as it does', () => {
    documents.isRefusing = true;
    look(300);
    expect(found.map(({ event }) => event)).toEqual([
      { kind: 'instrument', state: 'sick', reasons: ['spool_refuses'] },
    ]);
    documents.isRefusing = false;
    look(LIMITS.instrumentWellNs / NS_PER_S);
    expect(kinds()).toHaveLength(2);
  });
});
