/** A network in memory that answers probes after a fixed time, loses and doubles a few, and allocates nothing. */

import type { Clock } from '../../src/base/clock.ts';
import { NS_PER_MS, NS_PER_S } from '../../src/base/units.ts';
import { blankEndpoint, type Endpoint } from '../../src/linux/sockaddr.ts';
import { STAMP_SOURCE } from '../../src/ring/layout.ts';
import type { Datagram, Transport, TransportEvents } from '../../src/probe/transport.ts';
import { UNSYNCHRONISED_ESTIMATE } from '../../src/wire/error-estimate.ts';
import { encodeReflectorPacket } from '../../src/wire/stamp.ts';

/** Messages of one batch. */
const COUNT = 64;
/** Room for a packet of the benchmarks. */
const STRIDE = 128;
/** Replies that may be on their way at once: a power of two, far above rate times delay. */
const UNDERWAY = 1024;
const DELAY_NS = 20 * NS_PER_MS;
const RESIDENCE_NS = 50_000;
/** Of so many packets one gets no reply, or two. */
const LOST_EVERY = 1000;
const DOUBLED_EVERY = 10_007;
const ECHO_REQUEST = 8;
const TTL = 64;

/** The delay is the same for all, so that a queue is all it takes to deliver replies in the order of arrival. */
export class EchoingTransport implements Transport {
  readonly name = 'memory';
  readonly outgoing = {
    count: COUNT,
    arena: { view: new DataView(new ArrayBuffer(COUNT * STRIDE)) },
    payload: (message: number): number => message * STRIDE,
  };
  readonly #kind: 'icmp' | 'stamp';
  readonly #clock: Clock;
  readonly #lengths = new Uint16Array(COUNT);
  readonly #destinations = Array.from({ length: COUNT }, blankEndpoint);
  readonly #replies = new DataView(new ArrayBuffer(UNDERWAY * STRIDE));
  readonly #replyLengths = new Uint16Array(UNDERWAY);
  readonly #replySources = Array.from({ length: UNDERWAY }, blankEndpoint);
  readonly #arrivalNs = new Float64Array(UNDERWAY);
  readonly #arrivalSeconds = new Uint32Array(UNDERWAY);
  readonly #arrivalNanoseconds = new Uint32Array(UNDERWAY);
  readonly #reflected = {
    sequence: 0,
    t2: { seconds: 0, nanoseconds: 0 },
    t3: { seconds: 0, nanoseconds: 0 },
    errorEstimate: UNSYNCHRONISED_ESTIMATE,
    senderTtl: TTL,
  };
  readonly #datagram: Datagram;
  #sent = 0;
  #queued = 0;
  #delivered = 0;

  constructor(kind: 'icmp' | 'stamp', clock: Clock) {
    this.#kind = kind;
    this.#clock = clock;
    this.#datagram = {
      view: this.#replies,
      offset: 0,
      length: 0,
      truncated: false,
      source: blankEndpoint(),
      stamped: true,
      stampSource: STAMP_SOURCE.kernel,
      seconds: 0,
      nanoseconds: 0,
      ttl: TTL,
      tos: 0,
    };
  }

  readDrops(): number {
    return 0;
  }

  prepare(message: number, length: number, to: Endpoint): void {
    this.#lengths[message] = length;
    copyEndpoint(to, this.#destinations[message]);
  }

  send(count: number, cookies: Int32Array, events: TransportEvents): void {
    const { wallSeconds, wallNanoseconds } = this.#clock;
    for (let message = 0; message < count; message += 1) {
      const cookie = cookies[message] ?? 0;
      this.#sent += 1;
      events.onSent(cookie);
      events.onTxStamp(cookie, wallSeconds, wallNanoseconds);
      if (this.#sent % LOST_EVERY !== 0) this.#reply(message);
      if (this.#sent % DOUBLED_EVERY === 0) this.#reply(message);
    }
  }

  /** Delivers what has arrived by now. */
  receive(events: TransportEvents): void {
    const datagram = this.#datagram;
    for (; this.#delivered < this.#queued; this.#delivered += 1) {
      const at = this.#delivered % UNDERWAY;
      if ((this.#arrivalNs[at] ?? 0) > this.#clock.monoNs) return;
      datagram.offset = at * STRIDE;
      datagram.length = this.#replyLengths[at] ?? 0;
      copyEndpoint(this.#replySources[at], datagram.source);
      datagram.seconds = this.#arrivalSeconds[at] ?? 0;
      datagram.nanoseconds = this.#arrivalNanoseconds[at] ?? 0;
      events.onDatagram(datagram);
    }
  }

  close(): void {
    this.#delivered = this.#queued;
  }

  #reply(message: number): void {
    if (this.#queued - this.#delivered === UNDERWAY) throw new RangeError(`more than ${UNDERWAY} replies underway`);
    const at = this.#queued % UNDERWAY;
    this.#queued += 1;
    const nanoseconds = this.#clock.wallNanoseconds + DELAY_NS;
    const carry = nanoseconds >= NS_PER_S ? 1 : 0;
    this.#arrivalNs[at] = this.#clock.monoNs + DELAY_NS;
    this.#arrivalSeconds[at] = this.#clock.wallSeconds + carry;
    this.#arrivalNanoseconds[at] = nanoseconds - carry * NS_PER_S;
    this.#replyLengths[at] = this.#lengths[message] ?? 0;
    copyEndpoint(this.#destinations[message], this.#replySources[at]);
    if (this.#kind === 'icmp') this.#echo(message * STRIDE, at * STRIDE, this.#lengths[message] ?? 0);
    else this.#reflect(message * STRIDE, at * STRIDE);
  }

  /** The request with type 0; the checksum grows by what the type octet has lost (RFC 1624). */
  #echo(from: number, to: number, length: number): void {
    const { view } = this.outgoing.arena;
    for (let octet = 0; octet < length; octet += 1) this.#replies.setUint8(to + octet, view.getUint8(from + octet));
    this.#replies.setUint8(to, 0);
    const sum = view.getUint16(from + 2) + (ECHO_REQUEST << 8);
    this.#replies.setUint16(to + 2, (sum & 0xffff) + (sum >>> 16));
  }

  /** What a reflector half way would answer; the benchmarks' STAMP packets have no octets beyond the base packet. */
  #reflect(from: number, to: number): void {
    const reply = this.#reflected;
    reply.sequence += 1;
    reply.t2.seconds = this.#clock.wallSeconds;
    reply.t2.nanoseconds = this.#clock.wallNanoseconds;
    reply.t3.seconds = this.#clock.wallSeconds;
    reply.t3.nanoseconds = Math.min(NS_PER_S - 1, this.#clock.wallNanoseconds + RESIDENCE_NS);
    encodeReflectorPacket(this.#replies, to, this.outgoing.arena.view, from, reply);
  }
}

function copyEndpoint(from: Endpoint | undefined, to: Endpoint | undefined): void {
  if (!from || !to) return;
  to.address.set(from.address);
  to.addressBytes = from.addressBytes;
  to.port = from.port;
}
