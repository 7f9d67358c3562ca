/** The STAMP Session-Sender's packets: writes a probe, recognises its reflection (RFC 8762 section 4.2). */

import type { Clock } from '../base/clock.ts';
import { isAddress } from '../base/ip-address.ts';
import type { Counters } from '../ring/counters.ts';
import {
  blankReflectorPacket,
  blankSenderPacket,
  decodeReflectorPacket,
  encodeSenderPacket,
  STAMP_BASE_BYTES,
} from '../wire/stamp.ts';
import type { Arrivals } from './arrivals.ts';
import type { EngineCounter } from './health.ts';
import type { PathPlan } from './plan.ts';
import type { Datagram, IcmpError } from './transport.ts';

const SSID_OFFSET = 14;
const SSIDS = 65_536;

export class SessionSender {
  readonly #paths: readonly PathPlan[];
  /** Path number plus one, so that 0 is none; `LIMITS.pathsMax` leaves room for it. */
  readonly #pathOfSsid = new Uint16Array(SSIDS);
  readonly #arrivals: Arrivals;
  readonly #counters: Counters<EngineCounter>;
  readonly #errorEstimate: number;
  readonly #probe = blankSenderPacket();
  readonly #reply = blankReflectorPacket();

  /** `errorEstimate` is what the packets say of this host's clock. */
  constructor(
    paths: readonly PathPlan[],
    arrivals: Arrivals,
    counters: Counters<EngineCounter>,
    errorEstimate: number,
  ) {
    this.#paths = paths;
    this.#arrivals = arrivals;
    this.#counters = counters;
    this.#errorEstimate = errorEstimate;
    for (const [path, plan] of paths.entries()) {
      if (plan.kind === 'stamp') this.#pathOfSsid[plan.ssid] = path + 1;
    }
  }

  /** Writes the probe `sequence` of a path at `offset`; octets beyond the base packet are zero. */
  write(view: DataView, offset: number, path: PathPlan, sequence: number, clock: Clock): number {
    this.#probe.sequence = sequence;
    this.#probe.t1.seconds = clock.wallSeconds;
    this.#probe.t1.nanoseconds = clock.wallNanoseconds;
    this.#probe.errorEstimate = this.#errorEstimate;
    this.#probe.ssid = path.ssid;
    encodeSenderPacket(view, offset, this.#probe);
    for (let at = STAMP_BASE_BYTES; at < path.sizeBytes; at += 1) view.setUint8(offset + at, 0);
    return path.sizeBytes;
  }

  /** Matches a datagram by session, source and probe; what matches nothing is counted by reason and dropped. */
  receive(datagram: Datagram, socket: number): void {
    const decoding = decodeReflectorPacket(datagram.view, datagram.offset, datagram.length, this.#reply);
    if (decoding !== 'ok') {
      this.#counters.add(decoding === 'short' ? 'reply_short' : 'reply_corrupt');
      return;
    }
    const path = (this.#pathOfSsid[this.#reply.ssid] ?? 0) - 1;
    const plan = this.#paths[path];
    if (!plan) {
      this.#counters.add('reply_unknown_session');
      return;
    }
    const { address, addressBytes, port } = datagram.source;
    if (plan.socket !== socket || plan.port !== port || !isAddress(plan.address, address, addressBytes)) {
      this.#counters.add('reply_wrong_source');
      return;
    }
    this.#arrivals.file(path, this.#reply.senderSequence, this.#reply.senderT1, datagram, this.#reply);
  }

  /** Reads which probe an ICMP error quotes, as far as the router quoted it. */
  receiveError(datagram: Datagram, error: IcmpError): void {
    const isWhole = datagram.length >= SSID_OFFSET + 2;
    const path = isWhole ? (this.#pathOfSsid[datagram.view.getUint16(datagram.offset + SSID_OFFSET)] ?? 0) - 1 : -1;
    if (path < 0) this.#counters.add('icmp_errors_unmatched');
    else this.#arrivals.fileUnreachable(path, datagram.view.getUint32(datagram.offset), error);
  }
}
