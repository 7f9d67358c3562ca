/** The STAMP Session-Reflector: answers provisioned sessions, drops and counts everything else (RFC 8762 section 4.3). */

import type { Clock } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import type { Counters } from '../ring/counters.ts';
import { UNSYNCHRONISED_ESTIMATE } from '../wire/error-estimate.ts';
import { blankSenderPacket, decodeSenderPacket, encodeReflectorPacket, STAMP_BASE_BYTES } from '../wire/stamp.ts';
import type { ReflectorCounter } from './health.ts';
import type { ReflectorSession } from './plan.ts';
import { SessionTable } from './session-table.ts';
import type { Datagram, Transport, TransportEvents } from './transport.ts';

/** What the reflector says when the kernel did not tell the TTL (RFC 5357 section 4.2). */
const TTL_UNKNOWN = 255;

export class SessionReflector implements TransportEvents {
  readonly #sessions: SessionTable;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #counters: Counters<ReflectorCounter>;
  readonly #request = blankSenderPacket();
  readonly #cookies: Int32Array;
  readonly #reply = {
    sequence: 0,
    t2: { seconds: 0, nanoseconds: 0 },
    t3: { seconds: 0, nanoseconds: 0 },
    errorEstimate: UNSYNCHRONISED_ESTIMATE,
    senderTtl: TTL_UNKNOWN,
  };
  #filled = 0;

  constructor(
    sessions: readonly ReflectorSession[],
    transport: Transport,
    clock: Clock,
    counters: Counters<ReflectorCounter>,
  ) {
    this.#sessions = new SessionTable(sessions);
    this.#transport = transport;
    this.#clock = clock;
    this.#counters = counters;
    this.#cookies = new Int32Array(transport.outgoing.count);
  }

  /** Reads everything that has arrived and answers it. */
  turn(): void {
    this.#transport.receive(this);
    this.#flush();
  }

  onDatagram(datagram: Datagram): void {
    const session = this.#admit(datagram);
    if (session < 0) return;
    this.#answer(datagram, session);
    if (this.#filled === this.#cookies.length) this.#flush();
  }

  onSent(): void {
    this.#counters.add('reflected');
  }

  onRefused(): void {
    this.#counters.add('drop_not_sent');
  }

  onTxStamp(): void {
    // The reflector asks for none.
  }

  onIcmpError(): void {
    // A sender that went away; its next packet, or its absence, says all there is to say.
  }

  /** The session that may be answered, or -1 after counting why not. */
  #admit(datagram: Datagram): number {
    if (datagram.truncated || datagram.length > LIMITS.packetBytesMax) return this.#drop('drop_too_long');
    const decoding = decodeSenderPacket(datagram.view, datagram.offset, datagram.length, this.#request);
    if (decoding === 'short') return this.#drop('drop_short');
    const { address, addressBytes, port } = datagram.source;
    const session = this.#sessions.find(address, addressBytes, port, this.#request.ssid);
    if (session === -1) return this.#drop('drop_unknown_sender');
    if (session === -2) return this.#drop('drop_unknown_session');
    if (decoding === 'bad_timestamp') return this.#drop('drop_bad_timestamp');
    return session;
  }

  #drop(reason: ReflectorCounter): -1 {
    this.#counters.add(reason);
    return -1;
  }

  /** Same length as the request, whose octets beyond the base packet are copied (RFC 8762 section 4.3). */
  #answer(datagram: Datagram, session: number): void {
    const { outgoing } = this.#transport;
    const message = this.#filled;
    const offset = outgoing.payload(message);
    const { view } = outgoing.arena;
    for (let at = STAMP_BASE_BYTES; at < datagram.length; at += 1) {
      view.setUint8(offset + at, datagram.view.getUint8(datagram.offset + at));
    }
    const { address, port } = this.#sessions.at(session);
    this.#transport.prepare(message, datagram.length, address, port);
    const reply = this.#reply;
    reply.sequence = this.#sessions.takeSequence(session);
    reply.senderTtl = datagram.ttl >= 0 ? datagram.ttl : TTL_UNKNOWN;
    this.#clock.read();
    reply.t3.seconds = this.#clock.wallSeconds;
    reply.t3.nanoseconds = this.#clock.wallNanoseconds;
    reply.t2.seconds = datagram.stamped ? datagram.seconds : reply.t3.seconds;
    reply.t2.nanoseconds = datagram.stamped ? datagram.nanoseconds : reply.t3.nanoseconds;
    if (!datagram.stamped) this.#counters.add('receive_stamp_missing');
    encodeReflectorPacket(view, offset, datagram.view, datagram.offset, reply);
    this.#cookies[message] = session;
    this.#filled = message + 1;
  }

  #flush(): void {
    if (this.#filled === 0) return;
    this.#transport.send(this.#filled, this.#cookies, this);
    this.#filled = 0;
  }
}
