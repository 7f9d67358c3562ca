/** A line of limited rate with a queue before it: first in, first out, and what would wait too long is dropped. */

import type { LinkBehaviour } from '../config/lab-scenario.ts';
import { NS_PER_S } from '../base/units.ts';

const BITS_PER_OCTET = 8;

export class RateQueue {
  #freeNs = 0;

  /**
   * When the packet's last bit is on the line: after those before it, and the time that its own bits take. Returns -1 when
   * it would wait longer than `queueNs`; then it takes no time of the line. Octets are those of the IP packet.
   */
  leaveNs(rate: NonNullable<LinkBehaviour['rate']>, arrivedNs: number, ipBytes: number): number {
    const startNs = Math.max(arrivedNs, this.#freeNs);
    if (startNs - arrivedNs > rate.queueNs) return -1;
    this.#freeNs = startNs + (ipBytes * BITS_PER_OCTET * NS_PER_S) / rate.bitsPerSecond;
    return this.#freeNs;
  }
}
