/** Feeds a live reflector with packets from senders it knows and does not know, and checks every answer. */

import { LIMITS } from '../../src/base/limits.ts';
import { familyOf, type IpAddress, isAddress } from '../../src/base/ip-address.ts';
import { parseIp } from '../../src/linux/ip-text.ts';
import { Poller } from '../../src/linux/poller.ts';
import { endpointOf } from '../../src/linux/sockaddr.ts';
import { tryOpenSocket } from '../../src/linux/socket.ts';
import { type Datagram, type SocketEvents, TimestampingSocket } from '../../src/linux/timestamping-socket.ts';
import { NEAR_ADDRESS, STRANGER_ADDRESS } from '../addresses.ts';
import { SETTINGS } from '../settings.ts';
import { answers, permittedLength, type Provisioned } from './answer-rules.ts';
import { PacketSource } from './packet-source.ts';
import type { Random } from './random.ts';
import { senderTemplates } from './templates.ts';
import { Violations } from './violations.ts';

/** Packets of one batch, and the one that ends it. */
const BATCH = LIMITS.batchMessages;
/** Sequence numbers of the packets that end the batches: a template's is far below, so that nothing is taken for them. */
const GOOD_SEQUENCE = 0x8000_0000;
/** A reflector that has not answered a good packet for so long is gone, or hangs. */
const ANSWER_MS_MAX = 2000;

export interface FeedResult {
  sent: number;
  answered: number;
  /** Packets that might have been answered, and were not. */
  unanswered: number;
  violations: Pick<Violations, 'count' | 'shown'>;
}

interface Sender {
  socket: TimestampingSocket;
  port: number;
}

/**
 * Batch by batch: what is sent last is a good packet, and once that is answered, so is everything before it. Answers come
 * in the order of the requests, since the way there and back is one queue.
 */
export class LiveFeed implements SocketEvents {
  readonly #provisioned: Provisioned = { sourcePort: SETTINGS.sourcePort, sessions: SETTINGS.fuzz.sessions };
  readonly #reflector: IpAddress;
  readonly #random: Random;
  readonly #source: PacketSource;
  readonly #good: Uint8Array;
  readonly #known = openSender(NEAR_ADDRESS.ipv4, SETTINGS.sourcePort);
  readonly #unknown = [
    openSender(NEAR_ADDRESS.ipv4, SETTINGS.sourcePort + 1),
    openSender(STRANGER_ADDRESS, SETTINGS.sourcePort),
  ];
  readonly #readable = new Poller([this.#known.socket.fd]);
  readonly #cookies = new Int32Array(BATCH);
  /** Of each message that the known sender has sent in this batch: the octets that its answer may have, or 0. */
  readonly #permitted = new Uint16Array(BATCH);
  /** The first message of the batch that may still be answered, and the good one that ends it. */
  #next = 0;
  #last = 0;
  #batches = 0;
  readonly #result = { sent: 0, answered: 0, unanswered: 0, violations: new Violations() };

  constructor(random: Random, reflectorAddress: string) {
    const templates = senderTemplates(SETTINGS.fuzz.sessions);
    this.#random = random;
    this.#reflector = parseIp(reflectorAddress);
    this.#source = new PacketSource(random, templates, LIMITS.packetBytesMax);
    this.#good = Uint8Array.from(templates[0] ?? []);
  }

  /** Sends `packets` packets; ends early when the reflector has gone. */
  run(packets: number): FeedResult {
    while (this.#result.sent < packets && this.#runBatch()) {
      // Each batch says by itself whether the reflector is still there.
    }
    return this.#result;
  }

  onDatagram(datagram: Datagram): void {
    const message = this.#requestOf(datagram);
    if (message < 0) {
      this.#violate('an answer to nothing that was asked', datagram);
      return;
    }
    this.#result.answered += 1;
    for (let skipped = this.#next; skipped < message; skipped += 1) {
      if (this.#permitted[skipped] !== 0) this.#result.unanswered += 1;
    }
    this.#next = message + 1;
  }

  onRead(): void {
    // No stamp is looked at.
  }

  onTxStamp(): void {
    // None is asked for.
  }

  onIcmpError(datagram: Datagram): void {
    this.#violate('an ICMP error: the reflector does not listen', datagram);
  }

  /** The message of the batch, from the next one on, that this may be the answer to; -1 when there is none. */
  #requestOf({ view, offset, length, source, truncated }: Datagram): number {
    const isFromReflector =
      isAddress(this.#reflector, source.address, source.addressBytes) && source.port === SETTINGS.stampPort;
    if (!isFromReflector || truncated) return -1;
    const { outgoing } = this.#known.socket;
    for (let message = this.#next; message <= this.#last; message += 1) {
      if (this.#permitted[message] !== length) continue;
      if (answers(view, offset, outgoing.arena.view, outgoing.payload(message))) return message;
    }
    return -1;
  }

  /** Returns whether the reflector has answered the good packet at the end. */
  #runBatch(): boolean {
    const stranger = this.#unknown[this.#random.below(8)];
    if (stranger) this.#send(stranger, BATCH);
    const count = stranger ? 0 : BATCH - 1;
    for (let message = 0; message < count; message += 1) this.#write(this.#known, message);
    this.#batches += 1;
    new DataView(this.#good.buffer).setUint32(0, GOOD_SEQUENCE + this.#batches);
    this.#permitted[count] = this.#put(this.#known, count, this.#good, this.#good.length);
    this.#next = 0;
    this.#last = count;
    this.#flush(this.#known, count + 1);
    const isAnswered = this.#awaitLast();
    for (const { socket } of this.#unknown) socket.receive(this.#ofStrangers);
    return isAnswered;
  }

  #awaitLast(): boolean {
    const untilMs = performance.now() + ANSWER_MS_MAX;
    while (this.#next <= this.#last) {
      if (performance.now() > untilMs) {
        this.#result.violations.add('no answer any more after a batch that ended with', this.#good);
        return false;
      }
      this.#readable.wait(ANSWER_MS_MAX);
      this.#known.socket.drainErrors(this);
      this.#known.socket.receive(this);
    }
    return true;
  }

  #send(sender: Sender, count: number): void {
    for (let message = 0; message < count; message += 1) this.#write(sender, message);
    this.#flush(sender, count);
  }

  #write(sender: Sender, message: number): void {
    const permitted = this.#put(sender, message, this.#source.octets, this.#source.next());
    if (sender === this.#known) this.#permitted[message] = permitted;
  }

  /** Puts a packet into the batch; returns how long its answer may be. */
  #put({ socket, port }: Sender, message: number, octets: Uint8Array, length: number): number {
    const { outgoing } = socket;
    const offset = outgoing.payload(message);
    const { view } = outgoing.arena;
    new Uint8Array(view.buffer, view.byteOffset + offset, length).set(octets.subarray(0, length));
    socket.prepare(message, length, endpointOf(this.#reflector, SETTINGS.stampPort));
    return permittedLength(view, offset, length, port, this.#provisioned);
  }

  #flush({ socket }: Sender, count: number): void {
    for (let first = 0; first < count; ) {
      const sent = socket.send(first, count, this.#cookies, this);
      if (sent <= 0) throw new Error(`the kernel does not send packet ${first} of a batch: errno ${-sent}`);
      first += sent;
      this.#result.sent += sent;
    }
  }

  readonly #ofStrangers: SocketEvents = {
    onDatagram: (datagram) => this.#violate('an answer to a sender that is not provisioned', datagram),
    onRead: () => this.onRead(),
    onTxStamp: () => this.onTxStamp(),
    onIcmpError: (datagram) => this.onIcmpError(datagram),
  };

  #violate(what: string, { view, offset, length }: Datagram): void {
    this.#result.violations.add(what, new Uint8Array(view.buffer, view.byteOffset + offset, length));
  }
}

function openSender(text: string, port: number): Sender {
  const address = parseIp(text);
  const fd = tryOpenSocket('udp', familyOf(address));
  if (fd < 0) throw new Error(`no UDP socket is to be had here: errno ${-fd}`);
  const options = { kind: 'udp', port, dscp: 0, payloadBytes: LIMITS.packetBytesMax, txStamps: false } as const;
  return { socket: new TimestampingSocket(fd, { ...options, address }), port };
}
