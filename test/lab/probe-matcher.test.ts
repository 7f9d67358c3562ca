/** What is booked of probes whose packets are delivered, lost, late and copied, by script and by chance. */

import { describe, expect, test } from 'vitest';
import { LedgerReader } from '../../src/lab/ledger-reader.ts';
import type { ProbeName } from '../../src/lab/pending-probes.ts';
import { ProbeMatcher } from '../../src/lab/probe-matcher.ts';
import { Random } from '../../src/lab/random.ts';
import type { TruthProbes } from '../../src/lab/truth.ts';
import { TruthLedger } from '../../src/lab/truth-ledger.ts';

const MS = 1_000_000;
const SECOND = 1_764_000_000;
const TMAX_NS = 3000 * MS;
/** When everything that was sent at 0 is settled, and before. */
const SETTLED_NS = 3501 * MS;
const OPEN_NS = 3500 * MS;
const NAMES = ['hkg1', 'sin1', 'fra1'];
const [ICMP, STAMP] = [0, 1];
const NOTHING: TruthProbes = {
  sent: 0,
  lost: 0,
  lost_forward: 0,
  lost_reverse: 0,
  unanswered: 0,
  stamp_n: 0,
  stamp_sum_us: 0,
  stamp_lag_sum_us: 0,
  icmp_n: 0,
  icmp_sum_us: 0,
  icmp_lag_sum_us: 0,
};

/** A matcher with a ledger of its own, and a prober 0 that probes host 1. */
class Rig {
  readonly ledger = TruthLedger.create(NAMES.length);
  readonly reader = new LedgerReader(this.ledger.buffer);
  readonly matcher: ProbeMatcher;

  constructor(probesMax?: number) {
    this.matcher = new ProbeMatcher(this.ledger, TMAX_NS, probesMax);
  }

  request(name: ProbeName, arrivedMs: number, second = SECOND, lagMs = 0): void {
    this.ledger.offered(second, 0, 1);
    this.matcher.request(0, 1, name, arrivedMs * MS, second, lagMs * MS);
  }

  requestDelivered(name: ProbeName, departedMs: number): void {
    this.matcher.requestDelivered(0, 1, name, departedMs * MS);
  }

  reply(name: ProbeName, lagMs = 0): void {
    this.matcher.reply(0, 1, name, lagMs * MS);
  }

  replyDelivered(name: ProbeName, arrivedMs: number, departedMs: number): void {
    this.matcher.replyDelivered(0, 1, name, arrivedMs * MS, departedMs * MS);
  }

  /** Request and reply, 10 and 12 ms on the way, 5 ms at the far host. */
  answered(name: ProbeName, sentMs: number, second = SECOND): void {
    this.request(name, sentMs, second);
    this.requestDelivered(name, sentMs + 10);
    this.reply(name);
    this.replyDelivered(name, sentMs + 15, sentMs + 27);
  }

  probes(second = SECOND): TruthProbes {
    return this.reader.rows(second, NAMES)[0]?.probes ?? NOTHING;
  }

  /** What is booked when all is settled. */
  settled(second = SECOND): TruthProbes {
    while (this.matcher.open > 0) this.matcher.settle(Number.POSITIVE_INFINITY);
    return this.probes(second);
  }
}

function stamp(sequence: number, session = 0x1234_5678): ProbeName {
  return { kind: STAMP, session, sequence };
}

function icmp(sequence: number, session = 0x1234_5678): ProbeName {
  return { kind: ICMP, session, sequence };
}

describe('a probe', () => {
  test('that is answered has the delay of the network for STAMP, and the round trip for ICMP', () => {
    const rig = new Rig();
    rig.answered(stamp(0), 0);
    rig.answered(icmp(0), 0);
    const answered = { stamp_n: 1, stamp_sum_us: 22_000, icmp_n: 1, icmp_sum_us: 27_000 };
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 2, ...answered });
  });

  test('that is answered has how late its packets were read, once however often they come', () => {
    const rig = new Rig();
    for (const name of [stamp(0), icmp(0)]) {
      rig.request(name, 0, SECOND, 0.2);
      rig.request(name, 1, SECOND, 7);
      rig.requestDelivered(name, 10);
      // Of ICMP nobody knows when the far host sent the reply.
      for (const lagMs of name.kind === STAMP ? [0.3, 7] : [0, 0]) rig.reply(name, lagMs);
      rig.replyDelivered(name, 15, 27);
    }
    expect(rig.settled()).toMatchObject({ stamp_n: 1, stamp_lag_sum_us: 500, icmp_n: 1, icmp_lag_sum_us: 200 });
  });

  test('is lost forward when no request arrives undamaged; what answers a damaged one does not count', () => {
    const rig = new Rig();
    rig.request(stamp(0), 0);
    rig.request(stamp(1), 0);
    rig.reply(stamp(1));
    rig.replyDelivered(stamp(1), 20, 30);
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 2, lost: 2, lost_forward: 2 });
  });

  test('is lost on the way back when a reply was offered, and none arrives', () => {
    const rig = new Rig();
    rig.request(icmp(0), 0);
    rig.requestDelivered(icmp(0), 10);
    rig.reply(icmp(0));
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 1, lost: 1, lost_reverse: 1 });
  });

  test('is unanswered when its request arrived, and no reply was ever offered', () => {
    const rig = new Rig();
    rig.request(icmp(0), 0);
    rig.requestDelivered(icmp(0), 10);
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 1, lost: 1, unanswered: 1 });
  });

  test('is lost on the way back when its reply comes later than Tmax after the request, and not when just in time', () => {
    const rig = new Rig();
    for (const [sequence, departedMs] of [
      [0, 3000],
      [1, 3000.001],
    ] as const) {
      rig.request(stamp(sequence), 0);
      rig.requestDelivered(stamp(sequence), 10);
      rig.reply(stamp(sequence));
      rig.replyDelivered(stamp(sequence), 20, departedMs);
    }
    const lost = { sent: 2, lost: 1, lost_reverse: 1 };
    expect(rig.settled()).toEqual({ ...NOTHING, ...lost, stamp_n: 1, stamp_sum_us: 2_990_000 });
  });

  test('counts once however often its request and replies are copied, with the first reply that arrives', () => {
    const rig = new Rig();
    rig.request(stamp(0), 0);
    rig.request(stamp(0), 1);
    rig.requestDelivered(stamp(0), 10);
    rig.requestDelivered(stamp(0), 11);
    // The reply to the original is lost; the one to the copy is read at 16 ms.
    rig.reply(stamp(0));
    rig.reply(stamp(0));
    rig.replyDelivered(stamp(0), 16, 27);
    rig.replyDelivered(stamp(0), 16, 28);
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 1, stamp_n: 1, stamp_sum_us: 21_000 });
  });

  test('is known by prober, host, kind and session as well as by its number', () => {
    // With room for one, all names have the same hash.
    const rig = new Rig(1);
    rig.request(stamp(0), 0);
    const others: [number, number, ProbeName][] = [
      [1, 0, stamp(0)],
      [0, 2, stamp(0)],
      [0, 1, icmp(0)],
      [0, 1, stamp(0, 0x1234_5679)],
      [0, 1, stamp(1)],
    ];
    for (const [from, to, name] of others) rig.matcher.requestDelivered(from, to, name, 10 * MS);
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 1, lost: 1, lost_forward: 1 });
  });

  test('is booked in the second of its request, for its own pair', () => {
    const rig = new Rig();
    rig.request(stamp(0), 990, SECOND);
    rig.answered(stamp(1), 1010, SECOND + 1);
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 1, lost: 1, lost_forward: 1 });
    expect(rig.probes(SECOND + 1)).toEqual({ ...NOTHING, sent: 1, stamp_n: 1, stamp_sum_us: 22_000 });
    rig.ledger.offered(SECOND + 2, 2, 1);
    rig.matcher.request(2, 1, icmp(0), 2000 * MS, SECOND + 2, 0);
    rig.settled();
    const [row] = rig.reader.rows(SECOND + 2, NAMES);
    expect([row?.from, row?.to, row?.probes.lost_forward]).toEqual(['fra1', 'sin1', 1]);
  });
});

describe('sequence numbers', () => {
  test('go on behind 2^32, and 16 bits more or less make another probe', () => {
    const rig = new Rig();
    for (const sequence of [0xffff_fffe, 0xffff_ffff, 0, 1]) rig.answered(stamp(sequence), sequence % 7);
    for (const sequence of [5, 0x1_0005, 0x7fff_0005]) rig.answered(icmp(sequence), 0);
    const answered = { stamp_n: 4, stamp_sum_us: 88_000, icmp_n: 3, icmp_sum_us: 81_000 };
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 7, ...answered });
  });

  test('and sessions are the same 32 bits whether they are read as signed or not', () => {
    const rig = new Rig();
    rig.request(stamp(0xffff_ffff, 0x8000_0001), 0);
    rig.requestDelivered(stamp(-1, 0x8000_0001 | 0), 10);
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 1, lost: 1, unanswered: 1 });
  });

  test('may be used again when their probe is settled', () => {
    const rig = new Rig();
    rig.answered(stamp(0), 0);
    rig.matcher.settle(SETTLED_NS);
    rig.answered(stamp(0), 4000);
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 2, stamp_n: 2, stamp_sum_us: 44_000 });
  });
});

describe('settling', () => {
  test('waits for Tmax and half a second, and books each probe once', () => {
    const rig = new Rig();
    rig.answered(stamp(0), 0);
    rig.request(stamp(1), 1);
    rig.matcher.settle(OPEN_NS);
    expect([rig.matcher.open, rig.probes()]).toEqual([2, { ...NOTHING, sent: 2 }]);
    rig.matcher.settle(SETTLED_NS);
    expect([rig.matcher.open, rig.probes().stamp_n, rig.probes().lost]).toEqual([1, 1, 0]);
    rig.matcher.settle(SETTLED_NS + MS);
    rig.matcher.settle(2 * SETTLED_NS);
    expect([rig.matcher.open, rig.probes().stamp_n, rig.probes().lost]).toEqual([0, 1, 1]);
  });

  test('leaves without effect what comes for a probe that is settled', () => {
    const rig = new Rig();
    rig.request(stamp(0), 0);
    rig.matcher.settle(SETTLED_NS);
    rig.requestDelivered(stamp(0), 3600);
    rig.reply(stamp(0));
    rig.replyDelivered(stamp(0), 3605, 3610);
    expect(rig.settled()).toEqual({ ...NOTHING, sent: 1, lost: 1, lost_forward: 1 });
  });

  test('does a bounded part at a call, the oldest first', () => {
    const rig = new Rig();
    for (let sequence = 0; sequence < 2500; sequence += 1) rig.answered(stamp(sequence), 0);
    const open = [1, 2, 3].map(() => {
      rig.matcher.settle(SETTLED_NS);
      return rig.matcher.open;
    });
    expect(open).toEqual([1476, 452, 0]);
    expect(rig.probes().stamp_n).toBe(2500);
  });
});

describe('a full table', () => {
  test('counts the probes it has no room for, books nothing of them, and takes others when some are settled', () => {
    const rig = new Rig(2);
    for (const sequence of [0, 1, 2]) rig.answered(stamp(sequence), sequence);
    expect([rig.reader.untold, rig.probes().sent]).toEqual([1, 2]);
    rig.matcher.settle(SETTLED_NS);
    rig.answered(stamp(3), 3600);
    expect([rig.reader.untold, rig.settled()]).toEqual([1, { ...NOTHING, sent: 3, stamp_n: 3, stamp_sum_us: 66_000 }]);
  });
});

describe('by chance', () => {
  test('each probe ends as its packets did, while the table is filled and emptied many times', () => {
    const rig = new Rig(64);
    const random = new Random(31);
    const expected = { ...NOTHING };
    for (let sequence = 0; sequence < 5000; sequence += 1) {
      const sentMs = sequence * 60;
      const name = { kind: sequence % 2, session: Math.floor(random.next() * 4), sequence: Math.floor(sequence / 8) };
      const named = { ...name, session: name.session + 4 * (sequence % 8) };
      rig.matcher.settle(sentMs * MS);
      rig.request(named, sentMs);
      expected.sent += 1;
      const fate = Math.floor(random.next() * 5);
      if (fate > 0) rig.requestDelivered(named, sentMs + 10);
      if (fate > 1) rig.reply(named);
      if (fate > 2) rig.replyDelivered(named, sentMs + 15, sentMs + 27);
      if (fate < 3) expected.lost += 1;
      if (fate === 0) expected.lost_forward += 1;
      else if (fate === 1) expected.unanswered += 1;
      else if (fate === 2) expected.lost_reverse += 1;
      else if (named.kind === STAMP) expected.stamp_n += 1;
      else expected.icmp_n += 1;
    }
    expected.stamp_sum_us = 22_000 * expected.stamp_n;
    expected.icmp_sum_us = 27_000 * expected.icmp_n;
    expect(rig.reader.untold).toBe(0);
    expect(rig.settled()).toEqual(expected);
  });
});
