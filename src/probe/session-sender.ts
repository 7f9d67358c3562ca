/** The STAMP Session-Sender's packets: writes a probe, recognises its reflection (RFC 8762 section 4.2, RFC 8972). */

import type { Clock } from '../base/clock.ts';
import type { Counters } from '../ring/counters.ts';
import { blankReflectorPacket, blankSenderPacket, decodeReflectorPacket, encodeSenderPacket } from '../wire/stamp.ts';
import { type AuthDecoding, decodeAuthReflectorPacket, encodeAuthSenderPacket } from '../wire/stamp-auth.ts';
import { AUTHENTICATED, readSsid, type StampMode, UNAUTHENTICATED } from '../wire/stamp-mode.ts';
import { blankStampQuote, decodeStampQuote } from '../wire/stamp-quote.ts';
import { writeTlvFields, writeTlvTemplate } from '../wire/stamp-tlv-layout.ts';
import { readReplyTlvs } from '../wire/stamp-tlv-reply.ts';
import { blankTlvValues } from '../wire/stamp-tlv-values.ts';
import { decodeTwampLightReply } from '../wire/twamp-light.ts';
import type { Arrivals } from './arrivals.ts';
import { EndpointTable } from './endpoint-table.ts';
import type { EngineCounter } from './health.ts';
import type { PathTable } from './path-table.ts';
import type { PathPlan } from './plan.ts';
import { type SenderSession, senderSessions } from './sender-session.ts';
import type { Datagram, IcmpError } from './transport.ts';

const SSIDS = 65_536;
const REFUSALS = { short: 'reply_short', bad_mac: 'reply_bad_mac', bad_timestamp: 'reply_corrupt' } as const;

export class SessionSender {
  readonly #table: PathTable;
  readonly #sessions: readonly (SenderSession | null)[];
  /** Per path whose packets have TLVs: how many left this host, or are about to. */
  readonly #sent: Float64Array;
  /** The mode of each socket: all its sessions are of one probe class. */
  readonly #modes: readonly StampMode[];
  /** Path number plus one, so that 0 is none; `LIMITS.pathsMax` leaves room for it. */
  readonly #pathOfSsid = new Uint16Array(SSIDS);
  /** By the peer's address and port and our socket: the 4-tuple, which names a session where a reply has no SSID. */
  readonly #byEndpoint: EndpointTable;
  readonly #arrivals: Arrivals;
  readonly #counters: Counters<EngineCounter>;
  /** One word: what this host says of its clock, an Error Estimate. */
  readonly #estimate: Int32Array;
  readonly #probe = blankSenderPacket();
  readonly #reply = blankReflectorPacket();
  readonly #tlvs = blankTlvValues();
  readonly #quote = blankStampQuote();

  /** `table` is made of `paths`. */
  constructor(
    paths: readonly PathPlan[],
    table: PathTable,
    arrivals: Arrivals,
    counters: Counters<EngineCounter>,
    estimate: Int32Array,
  ) {
    this.#table = table;
    this.#sessions = senderSessions(paths);
    this.#sent = new Float64Array(paths.length);
    this.#modes = modesOfSockets(paths);
    this.#arrivals = arrivals;
    this.#counters = counters;
    this.#estimate = estimate;
    // An ICMP path has port 0, which no reply comes from.
    this.#byEndpoint = new EndpointTable(paths.map(({ address, port, socket }) => ({ address, port, name: socket })));
    for (const [path, { kind, ssid }] of paths.entries()) {
      if (kind === 'stamp' && ssid > 0) this.#pathOfSsid[ssid] = path + 1;
    }
  }

  /** Goes on where another one was: `kept` has for each path the number that it had there, or -1. */
  continue(other: SessionSender, kept: readonly number[]): void {
    for (const [path, old] of kept.entries()) this.#sent[path] = other.#sent[old] ?? 0;
  }

  /** Writes the probe `sequence` of path number `path` at `offset`; returns its octets. */
  write(view: DataView, offset: number, path: number, sequence: number, clock: Clock): number {
    const session = this.#sessions[path];
    if (!session) return 0;
    const { mac, layout } = session;
    const probe = this.#probe;
    probe.sequence = sequence;
    probe.t1.seconds = clock.wallSeconds;
    probe.t1.nanoseconds = clock.wallNanoseconds;
    probe.errorEstimate = this.#estimate[0] ?? 0;
    probe.ssid = this.#table.name(path);
    if (mac) encodeAuthSenderPacket(view, offset, probe, mac);
    else encodeSenderPacket(view, offset, probe);
    if (session.isExtended) {
      const sent = (this.#sent[path] ?? 0) + 1;
      this.#sent[path] = sent;
      writeTlvTemplate(view, offset, layout);
      writeTlvFields(view, offset, layout, sent, mac);
    }
    return this.#table.sizeBytes(path);
  }

  /** A probe of the path did not leave this host after all: it is not among the packets that Direct Measurement counts. */
  unsent(path: number): void {
    if (this.#sessions[path]?.isExtended === true) this.#sent[path] = (this.#sent[path] ?? 0) - 1;
  }

  /** Matches a datagram by session, source and probe; what matches nothing is counted by reason and dropped. */
  receive(datagram: Datagram, socket: number): void {
    const path = this.#find(datagram, socket);
    const session = this.#sessions[path];
    if (!session) {
      this.#counters.add('reply_unknown_session');
      return;
    }
    if (!this.#table.isReflector(path, datagram.source, socket)) {
      this.#counters.add('reply_wrong_source');
      return;
    }
    const decoding = this.#decode(datagram, session);
    if (decoding !== 'ok') {
      this.#counters.add(REFUSALS[decoding]);
      return;
    }
    const { senderSequence, senderT1 } = this.#reply;
    const accepted = this.#arrivals.file(path, senderSequence, senderT1, datagram, this.#reply);
    if (!accepted) return;
    this.#arrivals.fileReplyTos(path, this.#table.dscp(path), datagram.tos);
    if (session.hasTlvs) this.#readTlvs(datagram, path, session);
  }

  /** Reads which probe an ICMP error quotes, as far as the router quoted it. */
  receiveError(datagram: Datagram, socket: number, error: IcmpError): void {
    const quote = this.#quote;
    const mode = this.#modes[socket] ?? UNAUTHENTICATED;
    const { address, addressBytes, port } = datagram.source;
    const isNamed = decodeStampQuote(datagram.view, datagram.offset, datagram.length, mode, quote) === 'ok';
    const bySsid = isNamed && quote.ssid > 0 ? (this.#pathOfSsid[quote.ssid] ?? 0) - 1 : -1;
    const path = bySsid >= 0 ? bySsid : this.#byEndpoint.find(address, addressBytes, port, socket);
    if (path >= 0 && isNamed) this.#arrivals.fileUnreachable(path, quote.sequence, error);
    // Many routers quote no more than the UDP header (RFC 792): the addresses and ports are all there is.
    else if (path < 0 || !this.#arrivals.fileUnreachablePath(path, error)) this.#counters.add('icmp_errors_unmatched');
  }

  /**
   * The path whose session a reply names, or -1. A reflector without RFC 8972 sends 0 for an SSID that it does not know;
   * the addresses and ports then tell, as RFC 8762 alone has it.
   */
  #find({ view, offset, length, source }: Datagram, socket: number): number {
    const ssid = readSsid(view, offset, length, this.#modes[socket] ?? UNAUTHENTICATED);
    const named = ssid > 0 ? (this.#pathOfSsid[ssid] ?? 0) - 1 : -1;
    if (named >= 0) return named;
    const path = this.#byEndpoint.find(source.address, source.addressBytes, source.port, socket);
    if (this.#sessions[path]?.isTwampLight === true) return path;
    if (ssid !== 0) return -1;
    this.#counters.add('ssid_missing');
    return path;
  }

  #decode({ view, offset, length }: Datagram, { mac, isTwampLight }: SenderSession): AuthDecoding {
    if (mac) return decodeAuthReflectorPacket(view, offset, length, mac, this.#reply);
    if (isTwampLight) return decodeTwampLightReply(view, offset, length, this.#reply);
    return decodeReflectorPacket(view, offset, length, this.#reply);
  }

  #readTlvs(datagram: Datagram, path: number, { mode, layout, mac }: SenderSession): void {
    const tlvs = this.#tlvs;
    const { view, offset, length } = datagram;
    const reading = readReplyTlvs(view, offset, length, mode, layout.hmacAt >= 0 ? mac : null, tlvs);
    if (reading !== 'ok') this.#counters.add('tlvs_refused');
    const { classOfService, directMeasurement, followUpTelemetry } = tlvs;
    if (classOfService.state === 'ok') this.#arrivals.fileDscp(path, this.#table.dscp(path), classOfService.dscp);
    if (directMeasurement.state === 'ok') {
      this.#arrivals.fileCounters(path, directMeasurement.reflectorReceived, directMeasurement.reflectorSent);
    }
    if (followUpTelemetry.state === 'ok' && followUpTelemetry.method !== 0) {
      this.#arrivals.followUp(path, followUpTelemetry.sequence, followUpTelemetry.sent);
    }
  }
}

function modesOfSockets(paths: readonly PathPlan[]): StampMode[] {
  const modes: StampMode[] = [];
  for (const { socket, keys } of paths) modes[socket] = keys.length > 0 ? AUTHENTICATED : UNAUTHENTICATED;
  return modes;
}
