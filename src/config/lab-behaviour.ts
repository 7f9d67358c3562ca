/** Behaviour from the words and units of a scenario file to those of the emulator. */

import { NS_PER_MS } from '../base/units.ts';
import type { Behaviour } from './lab-layers.ts';
import type { LinkBehaviour } from './lab-scenario.ts';

const BITS_PER_KBIT = 1000;

/** What a direction does of which nothing is said: it delivers everything, at once and as it came. */
export const UNDISTURBED: LinkBehaviour = {
  delayNs: 0,
  distribution: 'fixed',
  spreadNs: 0,
  jitterNs: 0,
  loss: 0,
  bursts: null,
  duplicate: 0,
  reorder: null,
  corrupt: 0,
  rate: null,
  mtu: null,
  hops: 5,
};

/** The fields that are given, and no other. */
export function linkFields(given: Behaviour): Partial<LinkBehaviour> {
  const { delay_ms, distribution, spread_ms, jitter_ms, loss, duplicate, corrupt, hops } = given;
  return {
    ...(delay_ms !== undefined && { delayNs: nsOf(delay_ms) }),
    ...(distribution !== undefined && { distribution }),
    ...(spread_ms !== undefined && { spreadNs: nsOf(spread_ms) }),
    ...(jitter_ms !== undefined && { jitterNs: nsOf(jitter_ms) }),
    ...(loss !== undefined && { loss }),
    ...(duplicate !== undefined && { duplicate }),
    ...(corrupt !== undefined && { corrupt }),
    ...(hops !== undefined && { hops }),
    ...groups(given),
  };
}

/** The fields that are several values in one, or null. */
function groups({ bursts, reorder, rate, mtu }: Behaviour): Partial<LinkBehaviour> {
  return {
    ...(bursts !== undefined && {
      bursts: bursts && {
        toBad: bursts.to_bad,
        toGood: bursts.to_good,
        lossGood: bursts.loss_good,
        lossBad: bursts.loss_bad,
      },
    }),
    ...(reorder !== undefined && { reorder: reorder && { ratio: reorder.ratio, byNs: nsOf(reorder.by_ms) } }),
    ...(rate !== undefined && {
      rate: rate && { bitsPerSecond: rate.kbit_per_s * BITS_PER_KBIT, queueNs: nsOf(rate.queue_ms) },
    }),
    ...(mtu !== undefined && { mtu: mtu && { bytes: mtu.bytes, blackHole: mtu.black_hole } }),
  };
}

export function nsOf(ms: number): number {
  return Math.round(ms * NS_PER_MS);
}
