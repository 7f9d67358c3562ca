/** Counts of probe outcomes: how many fell due, what became of them, and the loss ratio that follows. */

/**
 * Every probe that fell due ends as exactly one of `received`, `lost`, `refused`, `missed` and `void`, so these five
 * add up to `due`. `late`, `unreachable` and `corrupt` say more about `lost`; `duplicate` and `reordered` stand beside the
 * outcomes and are in no sum.
 */
export interface OutcomeCounts {
  due: number;
  /** First valid reply within Tmax. */
  received: number;
  /** No valid reply within Tmax. */
  lost: number;
  /** The local kernel did not send it. */
  refused: number;
  /** Not sent, because the agent itself was late. */
  missed: number;
  /** Sent, but the measurement cannot be trusted. */
  void: number;
  /** Of `lost`: a reply came after Tmax. */
  late: number;
  /** Of `lost`: an ICMP error answered. */
  unreachable: number;
  /** Of `lost`: a reply came, damaged on the way. */
  corrupt: number;
  /** Replies beyond the first to the same probe (RFC 5560 section 3). */
  duplicate: number;
  /** Replies that arrived after the reply to a later probe (RFC 4737 section 3.3). */
  reordered: number;
}

/** A fresh set of counts, all 0. */
export function emptyCounts(): OutcomeCounts {
  return {
    due: 0,
    received: 0,
    lost: 0,
    refused: 0,
    missed: 0,
    void: 0,
    late: 0,
    unreachable: 0,
    corrupt: 0,
    duplicate: 0,
    reordered: 0,
  };
}

/** Adds every count of `from` to `into`. */
export function addCounts(into: OutcomeCounts, from: Readonly<OutcomeCounts>): void {
  into.due += from.due;
  into.received += from.received;
  into.lost += from.lost;
  into.refused += from.refused;
  into.missed += from.missed;
  into.void += from.void;
  into.late += from.late;
  into.unreachable += from.unreachable;
  into.corrupt += from.corrupt;
  into.duplicate += from.duplicate;
  into.reordered += from.reordered;
}

/** Whether every due probe has exactly one outcome: `due = received + lost + refused + missed + void`. */
export function outcomesBalance(c: Readonly<OutcomeCounts>): boolean {
  return c.due === c.received + c.lost + c.refused + c.missed + c.void;
}

/**
 * The share of measured probes that were lost, 0 to 1; null when nothing was measured (RFC 7680 section 4.1: undefined
 * for an empty sample). Refused, missed and void probes say nothing about the network and are in neither term.
 */
export function lossRatio(c: Readonly<Pick<OutcomeCounts, 'received' | 'lost'>>): number | null {
  const measured = c.received + c.lost;
  return measured === 0 ? null : c.lost / measured;
}
