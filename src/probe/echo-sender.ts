/** The ICMP echo prober's packets: writes a probe, recognises its reply. */

import type { Clock } from '../base/clock.ts';
import { IPV4_BYTES } from '../base/ip-address.ts';
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
import { EndpointTable } from './endpoint-table.ts';
import type { EngineCounter } from './health.ts';
import type { PathTable } from './path-table.ts';
import type { PathPlan } from './plan.ts';
import type { Datagram, IcmpError } from './transport.ts';

const ECHO_PATHS = 65_536;
const NO_SOCKET = -1;

export class EchoSender {
  readonly #table: PathTable;
  /** Path number plus one, so that 0 is none; `LIMITS.pathsMax` leaves room for it. */
  readonly #pathOfEcho = new Uint16Array(ECHO_PATHS);
  readonly #session: number;
  readonly #identifiers: readonly number[];
  /** By the peer's address and our socket, for errors that quote no more. */
  readonly #byEndpoint: EndpointTable;
  readonly #arrivals: Arrivals;
  readonly #counters: Counters<EngineCounter>;
  readonly #probe = blankEchoProbe();
  readonly #reply = blankEchoProbe();

  /** `table` is made of `paths`; `identifiers` holds the ICMP identifier of each socket of the plan. */
  constructor(
    paths: readonly PathPlan[],
    table: PathTable,
    session: number,
    identifiers: readonly number[],
    arrivals: Arrivals,
    counters: Counters<EngineCounter>,
  ) {
    this.#table = table;
    this.#session = session;
    this.#identifiers = identifiers;
    // A STAMP path has no such socket: no error comes to it here.
    const socketOf = ({ kind, socket }: PathPlan): number => (kind === 'icmp' ? socket : NO_SOCKET);
    this.#byEndpoint = new EndpointTable(
      paths.map((path) => ({ address: path.address, port: 0, name: socketOf(path) })),
    );
    this.#arrivals = arrivals;
    this.#counters = counters;
    for (const [path, { kind, echoPath }] of paths.entries()) {
      if (kind === 'icmp') this.#pathOfEcho[echoPath] = path + 1;
    }
  }

  /** Writes the probe `sequence` of a path at `offset`; returns the octets of the ICMP message. */
  write(view: DataView, offset: number, path: number, sequence: number, clock: Clock): number {
    const table = this.#table;
    const sizeBytes = table.sizeBytes(path);
    this.#probe.identifier = this.#identifiers[table.socket(path)] ?? 0;
    this.#probe.session = this.#session;
    this.#probe.path = table.name(path);
    this.#probe.sequence = sequence;
    this.#probe.t1.seconds = clock.wallSeconds;
    this.#probe.t1.nanoseconds = clock.wallNanoseconds;
    encodeEchoRequest(view, offset, sizeBytes, this.#probe, table.family(path));
    return ICMP_HEADER_BYTES + sizeBytes;
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
    const path = this.#path();
    const table = this.#table;
    if (path < 0) {
      this.#counters.add('reply_unknown_session');
    } else if (!table.isPeer(path, datagram.source)) {
      this.#counters.add('reply_wrong_source');
    } else if (datagram.length !== ICMP_HEADER_BYTES + table.sizeBytes(path)) {
      this.#counters.add('reply_corrupt');
    } else {
      const { sequence, t1 } = this.#reply;
      const accepted = this.#arrivals.file(path, sequence, t1, datagram, null);
      if (accepted) this.#arrivals.fileReplyTos(path, table.dscp(path), datagram.tos);
    }
  }

  /** Reads which probe an ICMP error quotes, as far as the router quoted it. */
  receiveError(datagram: Datagram, socket: number, error: IcmpError): void {
    const { view, offset, length } = datagram;
    const { address, addressBytes } = datagram.source;
    const family = addressBytes === IPV4_BYTES ? 'ipv4' : 'ipv6';
    const decoding = decodeQuotedEcho(view, offset, length, this.#session, this.#reply, family);
    const { identifier, sequence } = this.#reply;
    // Many routers quote no more than the ICMP header (RFC 792).
    const isHeader = decoding === 'header' && identifier === this.#identifiers[socket];
    const path = isHeader ? this.#byEndpoint.find(address, addressBytes, 0, socket) : this.#path();
    if (path < 0 || (decoding !== 'ok' && !isHeader)) this.#counters.add('icmp_errors_unmatched');
    else if (isHeader) this.#arrivals.fileUnreachable(path, this.#arrivals.sequenceEndingIn(path, sequence), error);
    else this.#arrivals.fileUnreachable(path, sequence, error);
  }

  /** Damage may be where the marks are: only a reply whose path, source and T1 still fit is taken for the probe's. */
  #fileCorrupt(datagram: Datagram): void {
    const path = this.#path();
    if (path < 0 || !this.#table.isPeer(path, datagram.source)) return;
    this.#arrivals.fileCorrupt(path, this.#reply.sequence, this.#reply.t1);
  }

  /** The path that the packet just decoded names, or -1. */
  #path(): number {
    return (this.#pathOfEcho[this.#reply.path] ?? 0) - 1;
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
