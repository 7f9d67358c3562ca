/** The ICMP echo prober's packets: writes a probe, recognises its reply. */

import type { Clock } from '../base/clock.ts';
import { familyOf, IPV4_BYTES, isAddress } from '../base/ip-address.ts';
import type { Counters } from '../ring/counters.ts';
import {
  blankEchoProbe,
  decodeEchoReply,
  decodeQuotedEcho,
  type EchoDecoding,
  encodeEchoRequest,
  ICMP_HEADER_BYTES,
} from '../wire/icmp-echo.ts';
import type { Arrivals } from './arrivals.ts';
import type { EngineCounter } from './health.ts';
import type { PathPlan } from './plan.ts';
import type { Datagram, IcmpError } from './transport.ts';

export class EchoSender {
  readonly #paths: readonly PathPlan[];
  readonly #session: number;
  readonly #identifiers: readonly number[];
  readonly #arrivals: Arrivals;
  readonly #counters: Counters<EngineCounter>;
  readonly #probe = blankEchoProbe();
  readonly #reply = blankEchoProbe();

  /** `identifiers` holds the ICMP identifier of each socket of the plan. */
  constructor(
    paths: readonly PathPlan[],
    session: number,
    identifiers: readonly number[],
    arrivals: Arrivals,
    counters: Counters<EngineCounter>,
  ) {
    this.#paths = paths;
    this.#session = session;
    this.#identifiers = identifiers;
    this.#arrivals = arrivals;
    this.#counters = counters;
  }

  /** Writes the probe `sequence` of path number `path` at `offset`; returns the octets of the ICMP message. */
  write(view: DataView, offset: number, path: number, plan: PathPlan, sequence: number, clock: Clock): number {
    this.#probe.identifier = this.#identifiers[plan.socket] ?? 0;
    this.#probe.session = this.#session;
    this.#probe.path = path;
    this.#probe.sequence = sequence;
    this.#probe.t1.seconds = clock.wallSeconds;
    this.#probe.t1.nanoseconds = clock.wallNanoseconds;
    encodeEchoRequest(view, offset, plan.sizeBytes, this.#probe, familyOf(plan.address));
    return ICMP_HEADER_BYTES + plan.sizeBytes;
  }

  /** Matches a datagram by session, path, source and probe; what matches nothing is counted by reason and dropped. */
  receive(datagram: Datagram): void {
    const { view, offset, length } = datagram;
    const family = datagram.source.addressBytes === IPV4_BYTES ? 'ipv4' : 'ipv6';
    const decoding = decodeEchoReply(view, offset, length, this.#session, this.#reply, family);
    if (decoding !== 'ok') {
      this.#count(decoding);
      if (decoding === 'corrupt') this.#fileCorrupt(datagram);
      return;
    }
    const plan = this.#paths[this.#reply.path];
    if (plan?.kind !== 'icmp') {
      this.#counters.add('reply_unknown_session');
    } else if (!isAddress(plan.address, datagram.source.address, datagram.source.addressBytes)) {
      this.#counters.add('reply_wrong_source');
    } else if (datagram.length !== ICMP_HEADER_BYTES + plan.sizeBytes) {
      this.#counters.add('reply_corrupt');
    } else {
      const { path, sequence, t1 } = this.#reply;
      const accepted = this.#arrivals.file(path, sequence, t1, datagram, null);
      if (accepted) this.#arrivals.fileReplyTos(path, plan.dscp, datagram.tos);
    }
  }

  /** Reads which probe an ICMP error quotes, as far as the router quoted it. */
  receiveError(datagram: Datagram, error: IcmpError): void {
    const { view, offset, length } = datagram;
    const family = datagram.source.addressBytes === IPV4_BYTES ? 'ipv4' : 'ipv6';
    const decoding = decodeQuotedEcho(view, offset, length, this.#session, this.#reply, family);
    if (decoding === 'ok' && this.#paths[this.#reply.path]?.kind === 'icmp') {
      this.#arrivals.fileUnreachable(this.#reply.path, this.#reply.sequence, error);
    } else {
      this.#counters.add('icmp_errors_unmatched');
    }
  }

  /** Damage may be where the marks are: only a reply whose path, source and T1 still fit is taken for the probe's. */
  #fileCorrupt(datagram: Datagram): void {
    const { address, addressBytes } = datagram.source;
    const plan = this.#paths[this.#reply.path];
    if (plan?.kind !== 'icmp' || !isAddress(plan.address, address, addressBytes)) return;
    this.#arrivals.fileCorrupt(this.#reply.path, this.#reply.sequence, this.#reply.t1);
  }

  #count(decoding: Exclude<EchoDecoding, 'ok'>): void {
    switch (decoding) {
      case 'short':
        this.#counters.add('reply_short');
        break;
      case 'corrupt':
        this.#counters.add('reply_corrupt');
        break;
      case 'foreign':
      case 'not_reply':
        this.#counters.add('reply_foreign');
        break;
    }
  }
}
