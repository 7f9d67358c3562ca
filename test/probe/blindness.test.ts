/** What was out while this host could not hear is void, and only that. */

import { describe, expect, it } from 'vitest';
import { SLOT_STATE } from '../../src/ring/layout.ts';
import { MS, reflect, rigOf, TMAX_NS } from './engine-rig.ts';

describe('a full receive buffer', () => {
  it('makes silent probes void that were out at the time, and leaves answers and earlier losses alone', () => {
    const rig = rigOf({
      // Probe 5 is lost long before the overflow, 40 to 43 are the ones whose replies the socket could not take.
      replies: (packet) =>
        packet.index === 5 || (packet.index >= 40 && packet.index < 44) ? [] : [reflect(packet, MS)],
    });
    rig.run(4410);
    rig.network.drops = 4;
    rig.run(4000);
    expect(rig.counters.get('socket_drops')).toBe(4);
    const outcomeOf = (sequence: number): string => rig.reader.outcome(rig.reader.slotOf(0, sequence), 4e9, 3e9);
    expect(outcomeOf(5)).toBe('lost');
    expect([40, 41, 42, 43].map(outcomeOf)).toEqual(['void', 'void', 'void', 'void']);
    expect([39, 44].map(outcomeOf)).toEqual(['received', 'received']);
  });

  it.each([1, 5, 10, 20])('is known before a silent probe is called lost, %i ms before Tmax', (earlierMs) => {
    const rig = rigOf({ replies: (packet) => (packet.index === 4 ? [] : [reflect(packet, MS)]) });
    rig.run(1000);
    const slot = rig.reader.slotOf(0, 4);
    const dueNs = rig.reader.views.dueNs[slot] ?? 0;
    rig.run((dueNs + TMAX_NS - rig.clock.monoNs) / MS - 100);
    // The sockets are asked what they have dropped 27 ms before Tmax, and then some time after it.
    rig.clock.advance(73 * MS);
    for (let ms = 27; ms > earlierMs; ms -= 1) rig.run(1);
    rig.network.drops = 1;
    const outcomes = new Set<string>();
    for (let ms = 0; ms < 200; ms += 1) {
      rig.run(1);
      outcomes.add(rig.reader.outcome(slot, rig.reader.horizonNs() - dueNs, TMAX_NS));
    }
    expect([...outcomes]).toEqual(['open', 'void']);
  });

  it('is said to be over: probes sent afterwards and lost are lost', () => {
    const rig = rigOf({ replies: (packet) => (packet.index === 60 ? [] : [reflect(packet, MS)]) });
    rig.run(2000);
    rig.network.drops = 1;
    rig.run(8000);
    expect(rig.outcomes()).toMatchObject({ lost: 1 });
    expect(rig.outcomes()['void']).toBeUndefined();
  });
});

describe('a stall of the agent', () => {
  it.each([
    [true, 'void'],
    [false, 'lost'],
  ])('with a socket whose drops are hidden (%s) makes silent probes %s', (hidesDrops, outcome) => {
    const rig = rigOf({
      replies: (packet) => (packet.index === 19 ? [] : [reflect(packet, MS)]),
    });
    rig.network.hidesDrops = hidesDrops;
    rig.run(1990);
    rig.clock.advance(200 * MS);
    rig.run(5000);
    // Probe 19 was out during the stall; what was answered before stays answered.
    const outcomeOf = (sequence: number): string => rig.reader.outcome(rig.reader.slotOf(0, sequence), 4e9, 3e9);
    expect([4, 18, 19].map(outcomeOf)).toEqual(['received', 'received', outcome]);
    expect(rig.counters.get('socket_drops')).toBe(0);
  });
});

describe('a suspended host', () => {
  it('has void probes instead of lost ones', () => {
    const rig = rigOf({ replies: (packet) => (packet.index === 19 ? [] : [reflect(packet, MS)]) });
    rig.run(1990);
    rig.clock.suspend(3600e9);
    rig.run(5000);
    expect(rig.counters.get('suspends')).toBe(1);
    expect(rig.reader.views.state[rig.reader.slotOf(0, 19)]).toBe(SLOT_STATE.sent);
    expect(rig.outcomes()).toMatchObject({ void: 1 });
    expect(rig.outcomes()['lost']).toBeUndefined();
  });
});
