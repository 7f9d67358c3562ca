/** What becomes of a packet in the emulated network. */

/** Why a packet goes no further. */
export const DROP = { none: 0, loss: 1, isolated: 2, queue: 3, mtu: 4, ttl: 5, overload: 6 } as const;

/** One object, filled again and again. Instants in ns on CLOCK_MONOTONIC, as a double. */
export interface Fate {
  /** One of DROP. When it is not `none`, only `member`, `hops`, `mtuBytes` and `delayNs` mean anything. */
  drop: number;
  /** The member of the ECMP group that the flow takes. */
  member: number;
  departNs: number;
  /** When a copy departs; 0: there is none. It departs with the packet and is to be queued right after it. */
  copyNs: number;
  /** One bit behind the IP header is flipped. */
  corrupt: boolean;
  /** Chosen to be overtaken. */
  reordered: boolean;
  /** Routers on the way. */
  hops: number;
  /** When dropped for its size: the MTU of the next hop; 0: a black hole, nobody says so. */
  mtuBytes: number;
  /** The member's one-way delay for this packet, without queue: when routers on the way would have it. */
  delayNs: number;
}

/** A blank fate to be filled again and again. */
export function blankFate(): Fate {
  return {
    drop: DROP.none,
    member: 0,
    departNs: 0,
    copyNs: 0,
    corrupt: false,
    reordered: false,
    hops: 0,
    mtuBytes: 0,
    delayNs: 0,
  };
}
