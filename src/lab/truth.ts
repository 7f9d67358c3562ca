/** What the emulated network says of itself: the words of its truth file, one JSON value a line. */

/** The first line. */
export interface TruthHead {
  readonly schema: 'popprobe.truth/1';
  readonly scenario: string;
  readonly seed: number;
  readonly hosts: readonly string[];
}

/** One ordered pair of PoPs in one second; a second without packets has no row. Delays are in µs. */
export interface TruthRow {
  /** Unix second in which packets were offered; that of a probe is the one in which its request was. */
  readonly second: number;
  readonly from: string;
  readonly to: string;
  readonly packets: TruthPackets;
  readonly probes: TruthProbes;
}

/** Every packet that `from` sent to `to`: probes of its own, replies to the other's, and anything else. */
export interface TruthPackets {
  readonly offered: number;
  /** By cause; their sum was not delivered. */
  readonly dropped: TruthDrops;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  /** Of those delivered, from when the emulator read them to when it wrote them; copies are not among them. */
  readonly delay_n: number;
  readonly delay_sum_us: number;
  readonly delay_min_us: number;
  readonly delay_max_us: number;
}

export interface TruthDrops {
  readonly loss: number;
  readonly isolated: number;
  readonly queue: number;
  readonly mtu: number;
  readonly ttl: number;
  /** The emulator itself had no room: its own trouble, and no part of the scenario. */
  readonly overload: number;
}

/** The probes of `from` to `to`, judged by what became of their requests and replies. */
export interface TruthProbes {
  /** Requests that `from` sent. */
  readonly sent: number;
  /** No undamaged reply was delivered to `from` within Tmax. */
  readonly lost: number;
  /** Of these: no undamaged request reached `to`. */
  readonly lost_forward: number;
  /** Of these: a reply was on its way, and none arrived undamaged within Tmax. */
  readonly lost_reverse: number;
  /** Of these: the request was delivered, and no reply was ever offered. */
  readonly unanswered: number;
  /** STAMP probes that were answered: delay of request and reply in the network, without the time at the far host. */
  readonly stamp_n: number;
  readonly stamp_sum_us: number;
  /** From the prober's T1 and the reflector's T3 until the emulator read request and reply, of the same probes. */
  readonly stamp_lag_sum_us: number;
  /** ICMP probes that were answered: from the request leaving `from` to the reply arriving, the far host included. */
  readonly icmp_n: number;
  readonly icmp_sum_us: number;
  /** From T1 until the emulator read the request; that of the reply is part of the far host's time. */
  readonly icmp_lag_sum_us: number;
}

/** The emulator's own accuracy in one second: packets by how far their delay was from what was decided. */
export interface TruthError {
  readonly second: number;
  /** Upper bounds in µs; the last count is of what is beyond the last bound. */
  readonly error_us: readonly number[];
  readonly packets: readonly number[];
}
