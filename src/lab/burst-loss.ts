/** Loss in bursts: the two-state Markov chain of Gilbert and Elliott. */

import type { LinkBehaviour } from '../config/lab-scenario.ts';

/**
 * E. N. Gilbert, "Capacity of a Burst-Noise Channel" (1960); E. O. Elliott, "Estimates of Error Rates for Codes on
 * Burst-Noise Channels" (1963). The state before the step decides about the packet, then the chain steps, as in the
 * `gemodel` of tc-netem(8). It begins good. In the long run the share of bad states is `toBad / (toBad + toGood)`, the loss
 * `lossGood` and `lossBad` weighted by it; a stay in the bad state lasts `1 / toGood` packets on average.
 */
export class BurstLoss {
  #isBad = false;

  /** Whether the packet is lost; steps the chain. `loss` and `step` are uniform draws in [0, 1). */
  takes(bursts: NonNullable<LinkBehaviour['bursts']>, loss: number, step: number): boolean {
    const isBad = this.#isBad;
    if (step < (isBad ? bursts.toGood : bursts.toBad)) this.#isBad = !isBad;
    return loss < (isBad ? bursts.lossBad : bursts.lossGood);
  }
}
