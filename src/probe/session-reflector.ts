/** The STAMP Session-Reflector: answers provisioned sessions, drops and counts everything else (RFC 8762 section 4.3). */

import type { Clock } from '../base/clock.ts';
import { IPV4_BYTES } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import type { Counters } from '../ring/counters.ts';
import { STAMP_SOURCE } from '../ring/layout.ts';
import { isSynchronised } from '../wire/error-estimate.ts';
import { blankSenderPacket, decodeSenderPacket, encodeReflectorPacket } from '../wire/stamp.ts';
import { decodeAuthSenderPacket, encodeAuthReflectorPacket } from '../wire/stamp-auth.ts';
import { AUTHENTICATED, readSsid, replyBytes, type StampMode, UNAUTHENTICATED } from '../wire/stamp-mode.ts';
import { SYNC_SOURCES } from '../wire/stamp-tlv.ts';
import { blankTlvFacts, type TlvFacts } from '../wire/stamp-tlv-facts.ts';
import { reflectTlvs } from '../wire/stamp-tlv-reflect.ts';
import { decodeTwampLightRequest } from '../wire/twamp-light.ts';
import { Departures } from './departures.ts';
import type { ReflectorCounter } from './health.ts';
import type { ReflectorPlan } from './plan.ts';
import type { ReflectedTally } from './reflected-tally.ts';
import { SessionTable } from './session-table.ts';
import type { Datagram, Transport, TransportEvents } from './transport.ts';

/** What the reflector says when the kernel did not tell the TTL (RFC 5357 section 4.2). */
const TTL_UNKNOWN = 255;

const DROPS = { short: 'drop_short', bad_mac: 'drop_bad_mac', bad_timestamp: 'drop_bad_timestamp' } as const;

export interface ReflectorParts {
  plan: Pick<ReflectorPlan, 'sessions' | 'mode' | 'packetsPerSecond' | 'permittedDscp' | 'port'>;
  /** The local address of the transport: what a Location TLV reports. */
  address: Uint8Array;
  transport: Transport;
  clock: Clock;
  counters: Counters<ReflectorCounter>;
  tally: ReflectedTally;
  /** Which session of the tally each session of the plan is. */
  tallied: readonly number[];
  /** The reflector whose place this one takes, with the number that each session of the plan had there, or -1. */
  before?: { reflector: SessionReflector; kept: readonly number[] };
  /** One word: what this host says of its clock, an Error Estimate. */
  estimate: Int32Array;
}

export class SessionReflector implements TransportEvents {
  readonly #parts: Omit<ReflectorParts, 'before'>;
  readonly #sessions: SessionTable;
  readonly #departures: Departures;
  readonly #unauthenticated: TlvFacts;
  readonly #authenticated: TlvFacts;
  readonly #request = blankSenderPacket();
  readonly #cookies: Int32Array;
  readonly #reply = {
    sequence: 0,
    t2: { seconds: 0, nanoseconds: 0 },
    t3: { seconds: 0, nanoseconds: 0 },
    errorEstimate: 0,
    senderTtl: TTL_UNKNOWN,
  };
  #filled = 0;
  /** What the transport has told so far of requests that found no room in its receive buffer. */
  #drops: number;

  constructor({ before, ...parts }: ReflectorParts) {
    // Without `before`: each would keep all that were before it.
    this.#parts = parts;
    this.#sessions = new SessionTable(parts.plan.sessions, parts.plan.packetsPerSecond);
    if (before) this.#sessions.continue(before.reflector.#sessions, before.kept);
    this.#departures = new Departures(this.#sessions, parts.tally);
    this.#unauthenticated = this.#blankFacts(UNAUTHENTICATED);
    this.#authenticated = this.#blankFacts(AUTHENTICATED);
    this.#cookies = new Int32Array(parts.transport.outgoing.count);
    this.#drops = parts.transport.readDrops();
  }

  /** Reads everything that has arrived and answers it. */
  turn(): void {
    this.#parts.transport.receive(this);
    this.#flush();
  }

  /** Counts what has found no room in the receive buffer since the last time: this host lost it, not the network. */
  countDrops(): void {
    const drops = this.#parts.transport.readDrops();
    this.#parts.counters.add('drop_socket_full', (drops - this.#drops) >>> 0);
    this.#drops = drops;
  }

  onRead(): void {
    // Each answer reads the clock itself, as late as can be.
  }

  onDatagram(datagram: Datagram): void {
    const session = this.#admit(datagram);
    if (session < 0) return;
    this.#answer(datagram, session);
    if (this.#filled === this.#cookies.length) this.#flush();
  }

  onSent(cookie: number): void {
    this.#parts.counters.add('reflected');
    this.#departures.sent(cookie);
  }

  onRefused(cookie: number): void {
    this.#parts.counters.add('drop_not_sent');
    this.#departures.refused(cookie);
  }

  onTxStamp(cookie: number, seconds: number, nanoseconds: number): void {
    this.#departures.stamp(cookie, seconds, nanoseconds);
  }

  onIcmpError(): void {
    // A sender that went away; its next packet, or its absence, says all there is to say.
  }

  /** The session that may be answered, or -1 after counting why not. */
  #admit(datagram: Datagram): number {
    if (datagram.truncated || datagram.length > LIMITS.packetBytesMax) return this.#drop('drop_too_long');
    const session = this.#find(datagram);
    if (session < 0) return session;
    this.#readArrival(datagram);
    if (!this.#sessions.allow(session, this.#reply.t2)) return this.#drop('drop_rate_limited');
    const { view, offset, length } = datagram;
    const mac = this.#sessions.macOf(session);
    const decoding = mac
      ? decodeAuthSenderPacket(view, offset, length, mac, this.#request)
      : this.#decodePlain(datagram, session);
    return decoding === 'ok' ? session : this.#drop(DROPS[decoding]);
  }

  /**
   * The SSID stands elsewhere in each mode, and a TWAMP Light sender has none: so the packet is looked up as each, and the
   * session found says in which mode it must be.
   */
  #find({ view, offset, length, source }: Datagram): number {
    const { address, addressBytes, port } = source;
    const plain = readSsid(view, offset, length, UNAUTHENTICATED);
    const authenticated = readSsid(view, offset, length, AUTHENTICATED);
    let session = plain > 0 ? this.#sessions.find(address, addressBytes, port, plain) : -1;
    if (session >= 0 && this.#sessions.macOf(session) === null) return session;
    session = authenticated > 0 ? this.#sessions.find(address, addressBytes, port, authenticated) : -1;
    if (session >= 0 && this.#sessions.macOf(session) !== null) return session;
    session = this.#sessions.find(address, addressBytes, port, 0);
    if (session >= 0) return session;
    if (!this.#sessions.knows(address, addressBytes)) return this.#drop('drop_unknown_sender');
    return this.#drop(plain < 0 ? 'drop_short' : 'drop_unknown_session');
  }

  #decodePlain({ view, offset, length }: Datagram, session: number): 'ok' | 'short' | 'bad_timestamp' {
    if (this.#sessions.at(session).ssid === 0) return decodeTwampLightRequest(view, offset, length, this.#request);
    return decodeSenderPacket(view, offset, length, this.#request);
  }

  #drop(reason: ReflectorCounter): -1 {
    this.#parts.counters.add(reason);
    return -1;
  }

  /** T2: the transport's stamp, or this moment where there is none. */
  #readArrival(datagram: Datagram): void {
    const { clock, counters } = this.#parts;
    if (!datagram.stamped) clock.read();
    if (!datagram.stamped || datagram.stampSource === STAMP_SOURCE.user) counters.add('receive_stamp_missing');
    this.#reply.t2.seconds = datagram.stamped ? datagram.seconds : clock.wallSeconds;
    this.#reply.t2.nanoseconds = datagram.stamped ? datagram.nanoseconds : clock.wallNanoseconds;
  }

  /** Same length as the request, or the base packet where that is longer (RFC 8762 sections 4.3 and 4.6). */
  #answer(datagram: Datagram, session: number): void {
    const { transport, plan, estimate } = this.#parts;
    const { outgoing } = transport;
    const message = this.#filled;
    const offset = outgoing.payload(message);
    const { view } = outgoing.arena;
    const mac = this.#sessions.macOf(session);
    const facts = mac ? this.#authenticated : this.#unauthenticated;
    const reply = this.#reply;
    const received = this.#sessions.countReceived(session);
    const cell = this.#tallyArrival(session);
    const sequence = this.#sessions.takeSequence(session);
    reply.sequence = plan.mode === 'stateful' ? sequence : this.#request.sequence;
    reply.senderTtl = datagram.ttl >= 0 ? datagram.ttl : TTL_UNKNOWN;
    reply.errorEstimate = estimate[0] ?? 0;
    const { ssid } = this.#sessions.at(session);
    this.#gather(facts, datagram, session, received, sequence);
    if (ssid === 0) copyPadding(datagram, view, offset, facts);
    else this.#countTlvs(reflectTlvs(datagram.view, datagram.offset, datagram.length, view, offset, facts));
    const dscp = facts.grantedDscp >= 0 ? facts.grantedDscp : facts.dscp;
    transport.prepare(message, replyBytes(datagram.length, facts.mode), datagram.source, dscp < 0 ? -1 : dscp << 2);
    this.#readDeparture();
    if (mac) encodeAuthReflectorPacket(view, offset, datagram.view, datagram.offset, reply, mac);
    else encodeReflectorPacket(view, offset, datagram.view, datagram.offset, reply, ssid);
    this.#sessions.depart(session, sequence, reply.t3.seconds, reply.t3.nanoseconds);
    this.#cookies[message] = this.#departures.expect(session, sequence, cell);
    this.#filled = message + 1;
  }

  #tallyArrival(session: number): number {
    const { counters, tally, tallied } = this.#parts;
    const cell = tally.countReceived(tallied[session] ?? 0, this.#reply.t2.seconds);
    if (cell < 0) counters.add('window_closed');
    return cell;
  }

  /** T3: as late as possible, since the time from here on counts as the network's unless Follow-Up Telemetry tells. */
  #readDeparture(): void {
    const { clock } = this.#parts;
    clock.read();
    this.#reply.t3.seconds = clock.wallSeconds;
    this.#reply.t3.nanoseconds = clock.wallNanoseconds;
  }

  #gather(facts: TlvFacts, datagram: Datagram, session: number, received: number, sequence: number): void {
    const isStateful = this.#parts.plan.mode === 'stateful';
    facts.mac = this.#sessions.macOf(session);
    facts.sequence = this.#reply.sequence;
    facts.family = datagram.source.addressBytes === IPV4_BYTES ? 'ipv4' : 'ipv6';
    facts.sourceAddress = datagram.source.address;
    facts.sourcePort = datagram.source.port;
    facts.dscp = datagram.tos < 0 ? -1 : datagram.tos >> 2;
    facts.ecn = datagram.tos & 3;
    facts.syncSource = isSynchronised(this.#reply.errorEstimate) ? SYNC_SOURCES.ntp : SYNC_SOURCES.local;
    facts.packetsReceived = received;
    facts.packetsSent = sequence + 1;
    facts.previousSequence = (sequence - 1) >>> 0;
    facts.previousKnown = isStateful && this.#sessions.departureOf(session, facts.previousSequence, facts.previousSent);
  }

  #countTlvs(verdict: ReturnType<typeof reflectTlvs>): void {
    if (verdict === 'malformed') this.#parts.counters.add('tlvs_malformed');
    else if (verdict === 'bad_mac') this.#parts.counters.add('tlvs_bad_mac');
  }

  #blankFacts(mode: StampMode): TlvFacts {
    const { address, plan } = this.#parts;
    const facts = blankTlvFacts(mode, null);
    facts.destinationAddress.set(address);
    facts.destinationPort = plan.port;
    for (const dscp of plan.permittedDscp) facts.permittedDscp[dscp] = 1;
    return facts;
  }

  #flush(): void {
    if (this.#filled === 0) return;
    this.#parts.transport.send(this.#filled, this.#cookies, this);
    this.#filled = 0;
  }
}

/** What a TWAMP Light sender has behind the base packet is padding, whatever it looks like, and goes back as it came. */
function copyPadding(datagram: Datagram, reply: DataView, offset: number, facts: TlvFacts): void {
  facts.grantedDscp = -1;
  for (let at = facts.mode.baseBytes; at < datagram.length; at += 1) {
    reply.setUint8(offset + at, datagram.view.getUint8(datagram.offset + at));
  }
}
