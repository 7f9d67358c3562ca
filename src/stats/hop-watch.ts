/** How many hops the packets of one direction took, read off their TTL: a route that changes shows here first. */

/** Both ends of STAMP send with this TTL (RFC 4656 section 4.1.2, RFC 5357 section 4.2.1). */
const INITIAL_TTL = 255;
const UNKNOWN = -1;

/** Figures of one window, in hops: routers that lowered the TTL. */
export interface HopFigures {
  /** Packets whose TTL was known. */
  n: number;
  min: number;
  max: number;
  /** Of the packet sent last. */
  last: number;
  /** Times the count differed from that of the packet before, in send order; also across the start of the window. */
  changes: number;
}

/**
 * Fed with the packets of one direction of a path in send order: forward with the Session-Sender TTL that the reflector
 * reports, backward with the TTL that the reply arrived with.
 */
export class HopWatch {
  #n = 0;
  #min = INITIAL_TTL;
  #max = 0;
  #last = UNKNOWN;
  #changes = 0;

  /**
   * Counts one packet.
   *
   * @param ttl as it arrived, 0 to 255; what is unknown does not come here.
   * @throws RangeError when it is anything else.
   */
  add(ttl: number): void {
    if (!(Number.isInteger(ttl) && ttl >= 0 && ttl <= INITIAL_TTL)) {
      throw new RangeError(`a TTL of 0 to ${INITIAL_TTL} expected, found ${ttl}`);
    }
    const hops = INITIAL_TTL - ttl;
    if (this.#last !== UNKNOWN && hops !== this.#last) this.#changes += 1;
    this.#last = hops;
    this.#n += 1;
    this.#min = Math.min(this.#min, hops);
    this.#max = Math.max(this.#max, hops);
  }

  /** The figures since the last call, null without a packet. The last count is kept, so that a change between windows shows. */
  take(): HopFigures | null {
    if (this.#n === 0) return null;
    const figures = { n: this.#n, min: this.#min, max: this.#max, last: this.#last, changes: this.#changes };
    this.#n = 0;
    this.#min = INITIAL_TTL;
    this.#max = 0;
    this.#changes = 0;
    return figures;
  }
}
