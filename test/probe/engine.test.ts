/** The engine against a network whose truth is known: every due probe ends as what really happened to it. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PATH_WORD, tableIndex } from '../../src/ring/layout.ts';
import type { Reply, SentPacket } from './memory-network.ts';
import { echo, MS, PEER_PORT, reflect, rigOf, SLOT_FLAG, TMAX_NS } from './engine-rig.ts';

const EPERM = 1;

describe('a healthy path', () => {
  it.each(['stamp', 'icmp'] as const)('receives every %s probe, with the round trip of the kernel stamps', (kind) => {
    const answer = kind === 'stamp' ? reflect : echo;
    const rig = rigOf({ replies: (packet) => [answer(packet, 7 * MS)], txStampAfterNs: () => 30_000 }, kind);
    rig.run(2000);
    expect(rig.outcomes()).toEqual({ received: 20 });
    // The TX stamp is 30 µs after the packet was written: the wire saw 7 ms less that.
    expect(new Set(rig.roundTripsNs())).toEqual(new Set([7 * MS - 30_000]));
  });

  it('goes on with its own T1 when a TX stamp never comes, and never calls that loss', () => {
    const rig = rigOf({ replies: (packet) => [reflect(packet, 7 * MS)], txStampAfterNs: () => null });
    rig.run(1000);
    expect(rig.outcomes()).toEqual({ received: 10 });
    expect(new Set(rig.roundTripsNs())).toEqual(new Set([7 * MS]));
    expect(rig.flagged(1)).toBe(0);
  });

  it('does not believe a TX stamp that is seconds away from the send', () => {
    const rig = rigOf({ replies: (packet) => [reflect(packet, 7 * MS)], txStampAfterNs: () => -2e9 });
    rig.run(1000);
    expect(new Set(rig.roundTripsNs())).toEqual(new Set([7 * MS]));
  });

  it('uses its own clock when the kernel did not stamp the reply', () => {
    const rig = rigOf({ replies: (packet) => [reflect(packet, 7 * MS, { stamped: false })] });
    rig.run(1000);
    expect(rig.outcomes()).toEqual({ received: 10 });
    for (const ns of rig.roundTripsNs()) expect(ns).toBeGreaterThanOrEqual(7 * MS);
  });
});

describe('what the network does', () => {
  it('is lost after Tmax, and late when the reply comes after it', () => {
    const rig = rigOf({
      replies: (packet) => (packet.index % 2 === 0 ? [] : [reflect(packet, TMAX_NS + 500 * MS)]),
    });
    rig.run(1000);
    expect(rig.outcomes()).toEqual({ open: 10 });
    rig.run(10_000);
    const slots = Array.from({ length: 10 }, (_, sequence) => rig.reader.slotOf(0, sequence));
    expect(slots.map((slot) => rig.reader.outcome(slot, 11e9, TMAX_NS))).toEqual(Array(10).fill('lost'));
    expect(slots.filter((slot) => rig.reader.views.state[slot] === 4)).toHaveLength(5);
  });

  it('is counted exactly when it duplicates and reorders', () => {
    const rig = rigOf({
      replies: (packet) => {
        if (packet.index === 3) return [reflect(packet, 5 * MS), reflect(packet, 6 * MS), reflect(packet, 7 * MS)];
        if (packet.index === 5) return [reflect(packet, 150 * MS)];
        return [reflect(packet, 5 * MS)];
      },
    });
    rig.run(2000);
    expect(rig.outcomes()).toEqual({ received: 20 });
    const duplicates = Array.from({ length: 20 }, (_, s) => rig.reader.views.duplicates[rig.reader.slotOf(0, s)]);
    expect(duplicates).toEqual(duplicates.map((_, sequence) => (sequence === 3 ? 2 : 0)));
    expect(rig.flagged(SLOT_FLAG.reordered)).toBe(1);
  });

  it('cannot fool the engine with another source, session, T1 or damaged octets', () => {
    const forge = (packet: SentPacket): Reply => {
      const reply = reflect(packet, MS);
      const view = new DataView(reply.octets.buffer);
      const forgeries = [
        () => ({ ...reply, address: Uint8Array.of(198, 18, 0, 3) }),
        () => ({ ...reply, port: PEER_PORT + 1 }),
        () => (view.setUint16(14, 99), reply),
        () => (view.setUint32(32, 0), reply),
        () => ({ ...reply, octets: reply.octets.slice(0, 40) }),
      ];
      return forgeries[packet.index % forgeries.length]?.() ?? reply;
    };
    const rig = rigOf({ replies: (packet) => [forge(packet)] });
    rig.run(1000);
    expect(rig.outcomes(5000)).toEqual({ lost: 10 });
    const reasons = ['reply_wrong_source', 'reply_unknown_session', 'reply_unknown_probe', 'reply_short'] as const;
    expect(reasons.map((reason) => rig.counters.get(reason))).toEqual([4, 2, 2, 2]);
  });

  it('is told apart from a forged ICMP echo reply', () => {
    const rig = rigOf(
      {
        replies: (packet) => {
          const reply = echo(packet, MS);
          reply.octets[60] = (reply.octets[60] ?? 0) ^ 1;
          return [reply];
        },
      },
      'icmp',
    );
    rig.run(500);
    expect(rig.outcomes(5000)).toEqual({ lost: 5 });
    expect(rig.counters.get('reply_corrupt')).toBe(5);
  });

  it('keeps working across the wrap of the sequence numbers', () => {
    for (const kind of ['stamp', 'icmp'] as const) {
      const answer = kind === 'stamp' ? reflect : echo;
      const rig = rigOf({ replies: (packet) => [answer(packet, MS)] }, kind);
      const { table } = rig.reader.views;
      for (const word of [PATH_WORD.head, PATH_WORD.sealed]) table[tableIndex(0, word)] = -5;
      rig.run(1000);
      const states = [-5, -1, 0, 4].map((sequence) => rig.reader.views.state[rig.reader.slotOf(0, sequence >>> 0)]);
      expect(states).toEqual([3, 3, 3, 3]);
      expect(rig.flagged(SLOT_FLAG.reordered)).toBe(0);
    }
  });
});

describe("the host's own trouble", () => {
  it('is refused by errno when the local kernel does not send, and never lost', () => {
    const rig = rigOf({
      refuse: (packet) => (packet.index % 4 === 0 ? EPERM : 0),
      replies: (packet) => [reflect(packet, MS)],
    });
    rig.run(2000);
    expect(rig.outcomes()).toEqual({ received: 15, refused: 5 });
    expect(rig.reader.views.errno[rig.reader.slotOf(0, 4)]).toBe(EPERM);
  });

  it('is missed when the agent was stopped, without a burst and without loss', () => {
    const rig = rigOf({ replies: (packet) => [reflect(packet, MS)] });
    rig.run(1000);
    const before = rig.network.sent;
    rig.clock.advance(1200 * MS);
    rig.engine.tick();
    expect(rig.network.sent - before).toBeLessThanOrEqual(1);
    rig.run(1000);
    const outcomes = rig.outcomes();
    expect(outcomes['lost'] ?? 0).toBe(0);
    expect(outcomes['missed']).toBeGreaterThanOrEqual(11);
    expect(rig.counters.get('stalls')).toBe(1);
    expect(rig.counters.get('stall_max_ns')).toBeGreaterThan(1000 * MS);
  });

  it('is a stall also when it holds up the agent in the middle of a tick', () => {
    const rig = rigOf({
      refuse: (packet) => {
        if (packet.index === 5) rig.clock.advance(300 * MS);
        return 0;
      },
      replies: (packet) => [reflect(packet, MS)],
    });
    rig.run(2000);
    expect(rig.counters.get('stalls')).toBe(1);
    expect(rig.counters.get('stall_max_ns')).toBe(300 * MS);
  });

  it('reads replies that waited in the socket during a stall as what the kernel stamped them', () => {
    const rig = rigOf({ replies: (packet) => [reflect(packet, 7 * MS)] });
    rig.run(1000);
    rig.clock.advance(5000 * MS);
    rig.run(20);
    expect(rig.outcomes()['received']).toBeGreaterThanOrEqual(10);
    expect(Math.max(...rig.roundTripsNs())).toBe(7 * MS);
  });

  it('skips, and counts, what is older than the ring after a very long stall', () => {
    const rig = rigOf({ replies: (packet) => [reflect(packet, MS)] });
    rig.run(1000);
    rig.clock.advance(3600 * 1000 * MS);
    rig.run(100);
    expect(rig.counters.get('slots_skipped')).toBeGreaterThan(30_000);
    expect(rig.reader.head(0)).toBeLessThan(1100);
  });

  it.each([10e9, -10e9, 5 * MS, -5 * MS])(
    'keeps arrivals and discards delays across a clock step of %d ns',
    (stepNs) => {
      const rig = rigOf({ replies: (packet) => [reflect(packet, 40 * MS)] });
      rig.run(1010);
      rig.clock.step(stepNs);
      rig.run(990);
      expect(rig.outcomes()).toEqual({ received: 20 });
      expect(rig.counters.get('clock_steps')).toBe(1);
      expect(rig.counters.get('clock_step_max_ns')).toBe(Math.abs(stepNs));
      expect(rig.flagged(SLOT_FLAG.delayVoid)).toBe(1);
    },
  );
});

describe('any network', () => {
  it('leaves every due probe with exactly one outcome, and the truth in the counts', () => {
    const fates = fc.array(fc.constantFrom('answer', 'lose', 'refuse', 'copy', 'late'), {
      minLength: 5,
      maxLength: 60,
    });
    fc.assert(
      fc.property(fates, (script) => {
        const fateOf = (packet: SentPacket): string => script[packet.index] ?? 'answer';
        const rig = rigOf({
          refuse: (packet) => (fateOf(packet) === 'refuse' ? EPERM : 0),
          replies: (packet) => {
            const fate = fateOf(packet);
            if (fate === 'lose') return [];
            if (fate === 'late') return [reflect(packet, TMAX_NS + MS)];
            return fate === 'copy' ? [reflect(packet, MS), reflect(packet, 2 * MS)] : [reflect(packet, MS)];
          },
        });
        rig.run(script.length * 100 + 4000);
        const slots = script.map((_, sequence) => rig.reader.slotOf(0, sequence));
        const expected = {
          answer: 'received',
          copy: 'received',
          lose: 'lost',
          late: 'lost',
          refuse: 'refused',
        } as const;
        for (const [sequence, slot] of slots.entries()) {
          const fate = script[sequence] as keyof typeof expected;
          expect(rig.reader.outcome(slot, 4e9, TMAX_NS)).toBe(expected[fate]);
          expect(rig.reader.views.duplicates[slot]).toBe(fate === 'copy' ? 1 : 0);
        }
      }),
      { numRuns: 50 },
    );
  });
});
