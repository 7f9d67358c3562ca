/** One member of a direction's ECMP group: what it does to a packet, and what it remembers from one to the next. */

import type { LinkBehaviour } from '../config/lab-scenario.ts';
import { BurstLoss } from './burst-loss.ts';
import { DROP, type Fate } from './fate.ts';
import { normalOf, paretoOf, type Random } from './random.ts';
import { RateQueue } from './rate-queue.ts';

/** What each draw of a packet decides. */
const DRAW = {
  loss: 0,
  burstLoss: 1,
  burstStep: 2,
  spread: 3,
  spreadAngle: 4,
  jitter: 5,
  duplicate: 6,
  reorder: 7,
  corrupt: 8,
} as const;

/**
 * Every packet takes the same number of draws, and steps the burst chain, whatever becomes of it: with one impairment more
 * or less, or an isolation in between, all other decisions stay what they were.
 */
export class MemberModel {
  readonly #random: Random;
  readonly #draws = new Float64Array(Object.keys(DRAW).length);
  readonly #bursts = new BurstLoss();
  readonly #queue = new RateQueue();
  #behaviour: LinkBehaviour;
  /** When the last packet that keeps the order departs. */
  #lastNs = 0;

  constructor(behaviour: LinkBehaviour, random: Random) {
    this.#behaviour = behaviour;
    this.#random = random;
  }

  /** From now on; chain, queue and order go on from where they are. */
  setBehaviour(behaviour: LinkBehaviour): void {
    this.#behaviour = behaviour;
  }

  /**
   * Decides about the next packet, all of `fate` but its member. It meets, in this order: the isolation, the MTU, the queue
   * before the line, and loss behind it, so that what is lost has used the line.
   */
  decide(arrivedNs: number, ipBytes: number, isolated: boolean, fate: Fate): void {
    const { rate, mtu, hops } = this.#behaviour;
    this.#random.drawInto(this.#draws);
    const isLost = this.#isLost();
    fate.hops = hops;
    fate.delayNs = this.#delayNs();
    fate.mtuBytes = 0;
    if (isolated) return drop(fate, DROP.isolated);
    if (mtu && ipBytes > mtu.bytes) {
      fate.mtuBytes = mtu.blackHole ? 0 : mtu.bytes;
      return drop(fate, DROP.mtu);
    }
    const leaveNs = rate ? this.#queue.leaveNs(rate, arrivedNs, ipBytes) : arrivedNs;
    if (leaveNs < 0) return drop(fate, DROP.queue);
    if (isLost) return drop(fate, DROP.loss);
    return this.#pass(leaveNs + fate.delayNs, fate);
  }

  #isLost(): boolean {
    const { loss, bursts } = this.#behaviour;
    const isLostInBurst = bursts
      ? this.#bursts.takes(bursts, this.#draw(DRAW.burstLoss), this.#draw(DRAW.burstStep))
      : false;
    return isLostInBurst || this.#draw(DRAW.loss) < loss;
  }

  #delayNs(): number {
    const { delayNs, distribution, spreadNs, jitterNs } = this.#behaviour;
    const jitteredNs = jitterNs * this.#draw(DRAW.jitter);
    const spread = this.#draw(DRAW.spread);
    if (distribution === 'normal') {
      return Math.max(0, delayNs + spreadNs * normalOf(spread, this.#draw(DRAW.spreadAngle))) + jitteredNs;
    }
    return delayNs + (distribution === 'pareto' ? paretoOf(spread, spreadNs) : 0) + jitteredNs;
  }

  /** A packet never departs before the one before it; those chosen for reordering do so later, and hold up nobody. */
  #pass(decidedNs: number, fate: Fate): void {
    const { duplicate, reorder, corrupt } = this.#behaviour;
    const orderedNs = Math.max(decidedNs, this.#lastNs);
    fate.drop = DROP.none;
    fate.reordered = reorder !== null && this.#draw(DRAW.reorder) < reorder.ratio;
    if (fate.reordered) {
      fate.departNs = orderedNs + (reorder?.byNs ?? 0);
    } else {
      fate.departNs = orderedNs;
      this.#lastNs = orderedNs;
    }
    fate.copyNs = this.#draw(DRAW.duplicate) < duplicate ? fate.departNs : 0;
    fate.corrupt = this.#draw(DRAW.corrupt) < corrupt;
  }

  #draw(which: number): number {
    return this.#draws[which] ?? 0;
  }
}

function drop(fate: Fate, cause: number): void {
  fate.drop = cause;
  fate.departNs = 0;
  fate.copyNs = 0;
  fate.corrupt = false;
  fate.reordered = false;
}
