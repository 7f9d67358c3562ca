/** The Gilbert-Elliott chain: its steps one by one, and what it comes to in the long run. */

import { describe, expect, test } from 'vitest';
import type { LinkBehaviour } from '../../src/config/lab-scenario.ts';
import { BurstLoss } from '../../src/lab/burst-loss.ts';
import { Random } from '../../src/lab/random.ts';
import { expectMean, SIGMAS } from './chance.ts';

type Bursts = NonNullable<LinkBehaviour['bursts']>;

const PACKETS = 400_000;

function losses(bursts: Bursts, seed: number, packets = PACKETS): boolean[] {
  const chain = new BurstLoss();
  const random = new Random(seed);
  return Array.from({ length: packets }, () => chain.takes(bursts, random.next(), random.next()));
}

/** Lengths of the runs of losses. */
function runs(lost: readonly boolean[]): number[] {
  const lengths: number[] = [];
  let length = 0;
  for (const isLost of lost) {
    if (isLost) length += 1;
    else if (length > 0) {
      lengths.push(length);
      length = 0;
    }
  }
  return lengths;
}

describe('the chain', () => {
  test('begins good, decides about a packet before it steps, and steps with every packet', () => {
    const toAndFro: Bursts = { toBad: 1, toGood: 1, lossGood: 0, lossBad: 1 };
    expect(losses(toAndFro, 1, 6)).toEqual([false, true, false, true, false, true]);
    expect(losses({ ...toAndFro, toGood: 0 }, 1, 4)).toEqual([false, true, true, true]);
    expect(losses({ ...toAndFro, toBad: 0, lossGood: 1 }, 1, 3)).toEqual([true, true, true]);
  });

  test('loses toBad / (toBad + toGood) of all packets, in bursts of 1 / toGood', () => {
    const [toBad, toGood] = [0.02, 0.2];
    const lost = losses({ toBad, toGood, lossGood: 0, lossBad: 1 }, 5);
    const share = toBad / (toBad + toGood);
    // States that lie k apart correlate by (1 - toBad - toGood)^k: the sum over all k widens the binomial variance.
    const memory = 1 - toBad - toGood;
    const deviation = Math.sqrt(((share * (1 - share)) / PACKETS) * ((1 + memory) / (1 - memory)));
    expect(Math.abs(lost.filter(Boolean).length / PACKETS - share)).toBeLessThan(SIGMAS * deviation);
    // A burst's length is geometric: deviation sqrt(1 - toGood) / toGood.
    expectMean(runs(lost), 1 / toGood, Math.sqrt(1 - toGood) / toGood);
  });

  test('weighs the loss of both states by how often it is in them', () => {
    const bursts: Bursts = { toBad: 0.1, toGood: 0.3, lossGood: 0.01, lossBad: 0.6 };
    const lost = losses(bursts, 6);
    const bad = 0.25;
    const share = 0.01 * (1 - bad) + 0.6 * bad;
    // Binomial, plus twice the covariances bad (1 - bad) (lossBad - lossGood)^2 memory^k over all k.
    const memory = 0.6;
    const covariances = (bad * (1 - bad) * 0.59 ** 2 * memory) / (1 - memory);
    const deviation = Math.sqrt((share * (1 - share) + 2 * covariances) / PACKETS);
    expect(Math.abs(lost.filter(Boolean).length / PACKETS - share)).toBeLessThan(SIGMAS * deviation);
  });

  test('is independent loss when both states last as long as chance makes them', () => {
    const lost = losses({ toBad: 0.3, toGood: 0.7, lossGood: 0, lossBad: 1 }, 7);
    expectMean(runs(lost), 1 / 0.7, Math.sqrt(0.3) / 0.7);
  });
});
