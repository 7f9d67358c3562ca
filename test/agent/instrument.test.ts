/** The instrument's own figures: each window gets what was gained in it, and maxima begin again. */

import { describe, expect, it } from 'vitest';
import { Instrument } from '../../src/agent/instrument.ts';
import type { ClockState } from '../../src/linux/clock-state.ts';
import { PATH_WORD, tableIndex } from '../../src/ring/layout.ts';
import { bucketMidpointNs, bucketOf } from '../../src/stats/histogram.ts';
import { pathPlan, RECEIVE_BUFFER_BYTES, RingRig } from './ring-rig.ts';

const QUIET = {
  ticks: 0,
  tick_late_p99_ns: 0,
  tick_late_max_ns: 0,
  stalls: 0,
  stall_max_ns: 0,
  socket_drops: 0,
  receive_buffer_bytes: RECEIVE_BUFFER_BYTES,
  tx_stamps_missing: 0,
  replies_refused: {},
  stragglers: 0,
  ring_overwritten: 0,
  reflected: 0,
  reflector_dropped: {},
  reflector_stamps_missing: 0,
  reflected_too_late: 0,
  suspends: 0,
  icmp_errors_unmatched: 0,
  replies_without_ssid: 0,
  reply_tlvs_refused: 0,
  reflector_tlvs_malformed: 0,
  reflector_tlvs_bad_mac: 0,
  floor: [],
};

const CLOCK: ClockState = { synchronised: true, offsetNs: -12_000, maxErrorNs: 1_500_000, source: 'chrony' };
const WRITTEN = { synchronised: true, offset_ns: -12_000, max_error_ns: 1_500_000, source: 'chrony' };

function rigOf() {
  const rig = new RingRig([pathPlan({ capacity: 4 }), pathPlan({ flow: 1, capacity: 4 })]);
  const instrument = new Instrument(rig.probing, rig.reflecting);
  return { rig, engine: rig.probing.counters, reflector: rig.reflecting.counters, instrument };
}

/** Counts wake-ups that were all this late. */
function wakeUps(rig: RingRig, count: number, lateNs: number): void {
  const { lateness } = rig.probing;
  const bucket = bucketOf(lateNs);
  lateness[bucket] = (lateness[bucket] ?? 0) + count;
}

describe('the instrument', () => {
  it('says of a window in which nothing happened only how the clock is', () => {
    const { instrument } = rigOf();
    const quiet = { instrument: QUIET, clock: { ...WRITTEN, steps: 0, step_max_ns: 0 } };
    expect([instrument.read(0, CLOCK, []), instrument.read(0, CLOCK, [])]).toEqual([quiet, quiet]);
  });

  it('gives each window what its counters gained', () => {
    const { engine, reflector, instrument } = rigOf();
    engine.add('ticks', 2000);
    engine.add('stalls', 2);
    engine.set('socket_drops', 5);
    engine.add('clock_steps');
    engine.add('reply_foreign', 3);
    reflector.add('reflected', 100);
    reflector.add('drop_unknown_sender', 7);
    const first = instrument.read(4, CLOCK, []);
    expect(first.instrument).toEqual({
      ...QUIET,
      ticks: 2000,
      stalls: 2,
      socket_drops: 5,
      tx_stamps_missing: 4,
      replies_refused: { foreign: 3 },
      reflected: 100,
      reflector_dropped: { unknown_sender: 7 },
      reflector_stamps_missing: 0,
      reflected_too_late: 0,
    });
    expect(first.clock.steps).toBe(1);

    engine.add('ticks', 10);
    engine.set('socket_drops', 6);
    engine.add('reply_unknown_probe');
    reflector.add('reflected', 1);
    const second = instrument.read(0, CLOCK, []);
    expect(second.instrument).toEqual({
      ...QUIET,
      ticks: 10,
      socket_drops: 1,
      replies_refused: { unknown_probe: 1 },
      reflected: 1,
    });
    expect(second.clock.steps).toBe(0);
  });

  it('says of the clock what is known at the end of each window', () => {
    const { instrument } = rigOf();
    instrument.read(0, CLOCK, []);
    const unknown = { synchronised: null, offsetNs: null, maxErrorNs: null, source: 'none' } as const;
    expect(instrument.read(0, unknown, []).clock).toEqual({
      synchronised: null,
      offset_ns: null,
      max_error_ns: null,
      source: 'none',
      steps: 0,
      step_max_ns: 0,
    });
  });

  it('begins the maxima again in each window', () => {
    const { engine, instrument } = rigOf();
    for (const name of ['tick_late_max_ns', 'stall_max_ns', 'clock_step_max_ns'] as const) engine.max(name, 900.4);
    const first = instrument.read(0, CLOCK, []);
    expect(first.instrument).toMatchObject({ tick_late_max_ns: 900, stall_max_ns: 900 });
    expect(first.clock.step_max_ns).toBe(900);
    engine.max('tick_late_max_ns', 12);
    const second = instrument.read(0, CLOCK, []);
    expect(second.instrument).toMatchObject({ tick_late_max_ns: 12, stall_max_ns: 0 });
    expect(second.clock.step_max_ns).toBe(0);
  });

  it('takes the 99th percentile of lateness over the wake-ups of the window only', () => {
    const { rig, instrument } = rigOf();
    wakeUps(rig, 98, 1000);
    wakeUps(rig, 2, 5_000_000);
    expect(instrument.read(0, CLOCK, []).instrument.tick_late_p99_ns).toBe(bucketMidpointNs(bucketOf(5_000_000)));
    wakeUps(rig, 99, 1000);
    wakeUps(rig, 1, 5_000_000);
    expect(instrument.read(0, CLOCK, []).instrument.tick_late_p99_ns).toBe(bucketMidpointNs(bucketOf(1000)));
  });

  it('counts stragglers and overwritten slots of all paths, and slots skipped after a stall', () => {
    const { rig, engine, instrument } = rigOf();
    const { ring } = rig.probing;
    const slot = rig.sent(0, 0);
    ring.seal(0, 1);
    rig.writer.fateOfReply(0, slot, 0, true);
    for (let probe = 0; probe < 6; probe += 1) rig.sent(1, probe);
    engine.add('slots_skipped', 10);
    expect(instrument.read(0, CLOCK, []).instrument).toMatchObject({ stragglers: 1, ring_overwritten: 12 });
    rig.sent(1, 6);
    expect(instrument.read(0, CLOCK, []).instrument).toMatchObject({ stragglers: 0, ring_overwritten: 1 });
  });

  it('keeps counting when a counter of the ring wraps at 2^32', () => {
    const { rig, instrument } = rigOf();
    const { table } = rig.writer.views;
    table[tableIndex(0, PATH_WORD.stragglers)] = -2;
    instrument.read(0, CLOCK, []);
    table[tableIndex(0, PATH_WORD.stragglers)] = 3;
    table[tableIndex(1, PATH_WORD.stragglers)] = 1;
    expect(instrument.read(0, CLOCK, []).instrument.stragglers).toBe(6);
  });
});
