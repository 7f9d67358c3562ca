/** What a direction does to packets: each impairment by itself, the order of packets, and what chance depends on. */

import { describe, expect, test } from 'vitest';
import type { LinkBehaviour } from '../../src/config/lab-scenario.ts';
import { blankFate, DROP, type Fate } from '../../src/lab/fate.ts';
import { DirectionModel } from '../../src/lab/impairment.ts';
import { mix32 } from '../../src/lab/mix32.ts';
import { behaviour, expectMean, expectShare } from './chance.ts';

const MS = 1_000_000;
const PACKETS = 50_000;
/** An instant as a machine has it that was started a month ago. */
const START_NS = 2.6e15;

function directionOf(members: LinkBehaviour[], seed = 1, from = 0, to = 1): DirectionModel {
  return new DirectionModel({ from, to, members }, seed);
}

/** Something of every packet before. */
const USED: Fate = {
  drop: DROP.ttl,
  member: 9,
  departNs: 9,
  copyNs: 9,
  corrupt: true,
  reordered: true,
  hops: 9,
  mtuBytes: 9,
  delayNs: 9,
};

/** The fate of one packet, by default of 100 octets and of a flow that takes the first member. */
function send(model: DirectionModel, arrivedNs: number, ipBytes = 100, flow = 0): Fate {
  const fate = { ...USED };
  model.decide(arrivedNs, ipBytes, flow, fate);
  return fate;
}

/** Packets of one flow, one every ms. */
function stream(model: DirectionModel, packets = PACKETS): Fate[] {
  return Array.from({ length: packets }, (_, at) => send(model, START_NS + at * MS));
}

function leastOf(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value));
}

function dropsOf(fates: readonly Fate[], cause: number): number {
  return fates.filter(({ drop }) => drop === cause).length;
}

describe('a line without impairments', () => {
  test('delays every packet by its delay, and does nothing else', () => {
    const model = directionOf([behaviour({ delayNs: 17.5 * MS, hops: 7 })]);
    for (const [at, fate] of stream(model, 100).entries()) {
      expect(fate).toEqual({ ...blankFate(), departNs: START_NS + (at + 17.5) * MS, delayNs: 17.5 * MS, hops: 7 });
    }
  });
});

describe('chance', () => {
  const wild = behaviour({
    distribution: 'pareto',
    spreadNs: MS,
    jitterNs: MS,
    loss: 0.1,
    bursts: { toBad: 0.05, toGood: 0.3, lossGood: 0, lossBad: 0.8 },
    duplicate: 0.1,
    reorder: { ratio: 0.1, byNs: MS },
    corrupt: 0.1,
  });

  test('gives the same packets the same fates, whatever other directions do in between', () => {
    const alone = stream(directionOf([wild], 42), 2000);
    const [model, other] = [directionOf([wild], 42), directionOf([wild], 42, 1, 0)];
    const beside = alone.map((_, at) => {
      if (at % 3 === 0) send(other, START_NS + at * MS);
      return send(model, START_NS + at * MS);
    });
    expect(beside).toEqual(alone);
  });

  test('gives a member the same fates, whatever goes over the others', () => {
    const [first, second] = [0, 0x8000_0000];
    const alone = directionOf([wild, wild], 42);
    const shared = directionOf([wild, wild], 42);
    for (let at = 0; at < 2000; at += 1) {
      send(shared, START_NS + at * MS, 100, second);
      expect(send(shared, START_NS + at * MS, 100, first)).toEqual(send(alone, START_NS + at * MS, 100, first));
    }
  });

  test('is another for another seed, direction and member', () => {
    const lossOf = (model: DirectionModel, flow = 0): string =>
      Array.from({ length: 500 }, (_, at) => send(model, START_NS + at * MS, 100, flow).drop).join('');
    const patterns = [
      lossOf(directionOf([wild, wild], 1)),
      lossOf(directionOf([wild, wild], 1), 0x8000_0000),
      lossOf(directionOf([wild, wild], 2)),
      lossOf(directionOf([wild, wild], 1, 1, 0)),
    ];
    expect(new Set(patterns).size).toBe(patterns.length);
  });

  test('decides about loss the same with and without all the other impairments', () => {
    const lossy = { loss: wild.loss, bursts: wild.bursts };
    const plain = stream(directionOf([behaviour(lossy)], 9), 2000).map(({ drop }) => drop);
    expect(stream(directionOf([wild], 9), 2000).map(({ drop }) => drop)).toEqual(plain);
    expect(new Set(plain)).toEqual(new Set([DROP.none, DROP.loss]));
  });
});

describe('loss', () => {
  test('takes its share of packets, each independently', () => {
    const fates = stream(directionOf([behaviour({ loss: 0.02 })]));
    expectShare(dropsOf(fates, DROP.loss), PACKETS, 0.02);
    const pairs = fates.filter(({ drop }, at) => drop === DROP.loss && fates[at + 1]?.drop === DROP.loss);
    expectShare(pairs.length, PACKETS, 0.02 ** 2);
  });

  test('and bursts are independent: a packet is lost when one of them takes it', () => {
    const bursts = { toBad: 0.1, toGood: 0.9, lossGood: 0.2, lossBad: 0.2 };
    const fates = stream(directionOf([behaviour({ loss: 0.1, bursts })], 2));
    expectShare(dropsOf(fates, DROP.loss), PACKETS, 1 - 0.9 * 0.8);
  });

  test('of everything loses everything, and none loses none', () => {
    expect(dropsOf(stream(directionOf([behaviour({ loss: 1 })]), 5000), DROP.loss)).toBe(5000);
    expect(dropsOf(stream(directionOf([behaviour()]), 5000), DROP.none)).toBe(5000);
  });
});

describe('delay', () => {
  /** Packets so far apart that none waits for the one before it: their delays are the draws themselves. */
  function delays(changes: Partial<LinkBehaviour>): number[] {
    const model = directionOf([behaviour(changes)], 3);
    const found = Array.from({ length: PACKETS }, (_, at) => {
      const { departNs, delayNs } = send(model, START_NS + at * 1e10);
      return { delayNs, waitedNs: departNs - (START_NS + at * 1e10) };
    });
    // Doubles of this size are up to half a ns apart.
    expect(found.filter(({ delayNs, waitedNs }) => Math.abs(waitedNs - delayNs) > 1)).toEqual([]);
    return found.map(({ delayNs }) => delayNs / MS);
  }

  test('spreads normally around its value', () => {
    const found = delays({ distribution: 'normal', spreadNs: MS });
    expectMean(found, 10, 1);
    expectShare(found.filter((delay) => Math.abs(delay - 10) > 1.959964).length, PACKETS, 0.05);
  });

  test('is never negative, however wide it spreads', () => {
    const found = delays({ delayNs: MS, distribution: 'normal', spreadNs: 5 * MS });
    // Below -0.2 standard deviations.
    expectShare(found.filter((delay) => delay === 0).length, PACKETS, 0.42074);
    expect(leastOf(found)).toBe(0);
  });

  test('of the Pareto kind has the spread as the mean of what is added', () => {
    const found = delays({ distribution: 'pareto', spreadNs: 3 * MS });
    expectMean(found, 13, Math.sqrt(3));
    expect(leastOf(found)).toBeGreaterThanOrEqual(12);
  });

  test('has its jitter added uniformly', () => {
    const found = delays({ jitterNs: 2 * MS });
    expectMean(found, 11, 2 / Math.sqrt(12));
    expect(leastOf(found)).toBeGreaterThanOrEqual(10);
    expect(found.every((delay) => delay < 12)).toBe(true);
  });

  test('has spread and jitter independently of each other', () => {
    const found = delays({ distribution: 'pareto', spreadNs: 3 * MS, jitterNs: MS });
    // The integral of (2 / (4 - j))^3 over j from 0 to 1.
    expectShare(found.filter((delay) => delay > 14).length, PACKETS, 7 / 36);
  });
});

describe('order', () => {
  const uneven = behaviour({ distribution: 'pareto', spreadNs: 5 * MS, jitterNs: 5 * MS, loss: 0.1 });

  test('is kept within a member, and only there', () => {
    const model = directionOf([uneven, uneven, uneven], 4);
    const last = [0, 0, 0];
    let overtaken = 0;
    let early = 0;
    for (let at = 0; at < PACKETS; at += 1) {
      const { drop, member, departNs } = send(model, START_NS + at * 100_000, 100, mix32(at % 50));
      if (drop !== DROP.none) continue;
      if (departNs < (last[member] ?? 0)) early += 1;
      if (departNs < Math.max(...last)) overtaken += 1;
      last[member] = departNs;
    }
    expect(early).toBe(0);
    expect(overtaken).toBeGreaterThan(PACKETS / 10);
  });

  test('is broken by those chosen for it, which hold up nobody', () => {
    const fates = stream(directionOf([behaviour({ reorder: { ratio: 0.1, byNs: 3 * MS } })], 5));
    const expected = fates.map(({ reordered }, at) => START_NS + (at + 10 + (reordered ? 3 : 0)) * MS);
    expect(fates.map(({ departNs }) => departNs)).toEqual(expected);
    expectShare(fates.filter(({ reordered }) => reordered).length, PACKETS, 0.1);
  });

  test('holds for a reordered packet too where its delay alone would have it overtake', () => {
    const model = directionOf([behaviour({ delayNs: 50 * MS })]);
    send(model, START_NS);
    model.setBehaviour([behaviour({ delayNs: MS, reorder: { ratio: 1, byNs: 2 * MS } })], false);
    expect(send(model, START_NS + MS).departNs).toBe(START_NS + 52 * MS);
  });
});

describe('copies and bit errors', () => {
  test('have their shares; a copy departs with its packet, and what is dropped has neither', () => {
    const fates = stream(directionOf([behaviour({ duplicate: 0.2, corrupt: 0.3, loss: 0.5, jitterNs: MS })], 6));
    const passed = fates.filter(({ drop }) => drop === DROP.none);
    const copied = passed.filter(({ copyNs }) => copyNs > 0);
    expectShare(copied.length, passed.length, 0.2);
    expectShare(passed.filter(({ corrupt }) => corrupt).length, passed.length, 0.3);
    expectShare(copied.filter(({ corrupt }) => corrupt).length, copied.length, 0.3);
    expect(copied.every(({ copyNs, departNs }) => copyNs === departNs)).toBe(true);
    const dropped = fates.filter(({ drop }) => drop !== DROP.none);
    expect(dropped.some(({ corrupt, copyNs, reordered }) => corrupt || copyNs > 0 || reordered)).toBe(false);
  });
});

describe('a line of limited rate', () => {
  /** 1250 octets take 10 ms. */
  const slow = behaviour({ delayNs: MS, rate: { bitsPerSecond: 1_000_000, queueNs: 20 * MS } });

  test('sends one packet after the other, drops what would wait too long, and loses no time with it', () => {
    const model = directionOf([slow]);
    const fates = [1, 2, 3, 4].map(() => send(model, START_NS, 1250));
    expect(fates.map(({ drop }) => drop)).toEqual([DROP.none, DROP.none, DROP.none, DROP.queue]);
    expect(fates.slice(0, 3).map(({ departNs }) => departNs - START_NS)).toEqual([11 * MS, 21 * MS, 31 * MS]);
    expect(send(model, START_NS + 10 * MS, 125).departNs - START_NS).toBe(32 * MS);
    expect(send(model, START_NS + 100 * MS, 1250).departNs - START_NS).toBe(111 * MS);
  });

  test('lets through what it can carry when more is offered, and loss behind it takes of that', () => {
    const model = directionOf([{ ...slow, loss: 0.1 }], 8);
    // 250 octets take 2 ms, and one comes every ms.
    const fates = Array.from({ length: PACKETS }, (_, at) => send(model, START_NS + at * MS, 250));
    // Half of them, and what stands in the queue at the end.
    const carried = PACKETS - dropsOf(fates, DROP.queue);
    expect(Math.abs(carried - PACKETS / 2)).toBeLessThan(12);
    expectShare(dropsOf(fates, DROP.loss), carried, 0.1);
  });

  test('tells the delay without the queue apart, for the routers on the way', () => {
    const model = directionOf([slow]);
    send(model, START_NS, 1250);
    expect(send(model, START_NS, 1250).delayNs).toBe(MS);
  });
});

describe('an MTU', () => {
  test('drops larger packets with what the next hop can take, or silently as a black hole', () => {
    const model = directionOf([behaviour({ mtu: { bytes: 1400, blackHole: false } })]);
    expect(send(model, START_NS, 1400)).toMatchObject({ drop: DROP.none, mtuBytes: 0 });
    expect(send(model, START_NS, 1401)).toMatchObject({ drop: DROP.mtu, mtuBytes: 1400, delayNs: 10 * MS, hops: 5 });
    model.setBehaviour([behaviour({ mtu: { bytes: 1400, blackHole: true } })], false);
    expect(send(model, START_NS, 1401)).toMatchObject({ drop: DROP.mtu, mtuBytes: 0 });
    expect(send(model, START_NS, 1400)).toMatchObject({ drop: DROP.none });
  });
});

describe('a change of behaviour', () => {
  test('isolates completely, and afterwards all goes on as it would have', () => {
    const lossy = behaviour({ loss: 0.2, bursts: { toBad: 0.1, toGood: 0.2, lossGood: 0, lossBad: 1 } });
    const undisturbed = stream(directionOf([lossy], 10), 3000).map(({ drop }) => drop);
    const model = directionOf([lossy], 10);
    const found = undisturbed.map((_, at) => {
      if (at === 1000 || at === 2000) model.setBehaviour([lossy], at === 1000);
      return send(model, START_NS + at * MS).drop;
    });
    const expected = undisturbed.map((drop, at) => (at >= 1000 && at < 2000 ? DROP.isolated : drop));
    expect(found).toEqual(expected);
  });

  test('keeps the state of the burst chain', () => {
    const model = directionOf([behaviour({ bursts: { toBad: 1, toGood: 0, lossGood: 0, lossBad: 1 } })]);
    expect(send(model, START_NS).drop).toBe(DROP.none);
    model.setBehaviour([behaviour()], false);
    expect(send(model, START_NS).drop).toBe(DROP.none);
    model.setBehaviour([behaviour({ bursts: { toBad: 0, toGood: 0, lossGood: 0, lossBad: 1 } })], false);
    expect(send(model, START_NS).drop).toBe(DROP.loss);
  });

  test('keeps what stands in the queue', () => {
    const rate = { bitsPerSecond: 1_000_000, queueNs: 50 * MS };
    const model = directionOf([behaviour({ delayNs: 0, rate })]);
    send(model, START_NS, 1250);
    model.setBehaviour([behaviour({ delayNs: 0, rate: { ...rate, bitsPerSecond: 10_000_000 } })], false);
    expect(send(model, START_NS, 1250).departNs - START_NS).toBe(11 * MS);
  });

  test('keeps the order when the delay shrinks', () => {
    const model = directionOf([behaviour({ delayNs: 100 * MS })]);
    send(model, START_NS);
    model.setBehaviour([behaviour({ delayNs: 10 * MS })], false);
    expect(send(model, START_NS + MS).departNs).toBe(START_NS + 100 * MS);
    expect(send(model, START_NS + 95 * MS).departNs).toBe(START_NS + 105 * MS);
  });

  test('must be told for every member', () => {
    const model = directionOf([behaviour(), behaviour()]);
    expect(() => model.setBehaviour([behaviour()], false)).toThrow('2 members expected, found 1');
    expect(() => directionOf([])).toThrow('one member at least expected');
  });
});

describe('an ECMP group', () => {
  test('keeps a flow on its member, so that a dead one takes all of some flows and nothing of the others', () => {
    const model = directionOf([behaviour(), behaviour({ loss: 1 }), behaviour(), behaviour()]);
    const flows = Array.from({ length: 4000 }, (_, flow) => mix32(flow + 1));
    const dead = flows.filter((flow) => {
      const drops = Array.from({ length: 20 }, (_, at) => send(model, START_NS + at * MS, 100, flow).drop);
      expect(new Set(drops).size).toBe(1);
      return drops[0] === DROP.loss;
    });
    expectShare(dead.length, flows.length, 0.25);
  });
});
