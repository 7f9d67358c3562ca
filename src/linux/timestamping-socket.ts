/** A datagram socket whose packets the kernel stamps in both directions; sends and receives in batches. */

import { LIMITS } from '../base/limits.ts';
import { Arena } from './arena.ts';
import {
  LAYOUT,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_TRUNC,
  POLLIN,
  SCM_TS_OPT_ID,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_TIMESTAMPING,
  SO_TIMESTAMPING_NEW,
  SOF_TIMESTAMPING_OPT_ID,
  SOF_TIMESTAMPING_OPT_TSONLY,
  SOF_TIMESTAMPING_RX_SOFTWARE,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_SOFTWARE,
  SOL_SOCKET,
} from './constants.ts';
import { type Ancillary, blankAncillary, readAncillary } from './control-messages.ts';
import { type Libc, libc, syscallError } from './libc.ts';
import { MessageBatch } from './message-batch.ts';
import {
  bindSocket,
  closeSocket,
  configureSocket,
  filterEchoReplies,
  setOption,
  type SocketKind,
  writeSockaddr,
} from './socket.ts';

const EINTR = 4;
const EAGAIN = 11;
const EINVAL = 22;
const EMSGSIZE = 90;
const RX_CONTROL_BYTES = 256;
const TX_CONTROL_BYTES = 32;
const RX_FLAGS = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
const TX_FLAGS = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
/** Packets whose TX stamp may be outstanding: stamps are read right after each batch of at most 64. */
const STAMP_TABLE = 2048;

/** A received datagram, valid until the next one; one object per socket, filled again and again. */
export interface Datagram {
  view: DataView;
  /** Where the payload begins in `view`, IP header skipped. */
  offset: number;
  length: number;
  /** The datagram was longer than the buffer: what does not fit is gone. */
  truncated: boolean;
  sourceAddress: number;
  sourcePort: number;
  /** Kernel stamp; `stamped` false means that there is none and the reader's own clock must do. */
  stamped: boolean;
  seconds: number;
  nanoseconds: number;
  /** TTL of the received IP header, or -1 where the kernel did not say. */
  ttl: number;
}

/** Who is told what the socket reads; called for each message, nothing is kept. */
export interface SocketEvents {
  onDatagram(datagram: Datagram): void;
  /** The kernel's TX stamp of the packet that was sent with this cookie. */
  onTxStamp(cookie: number, seconds: number, nanoseconds: number): void;
  /** An ICMP error for a packet of ours; the datagram holds what was quoted of it and where it was going. */
  onIcmpError(datagram: Datagram, errno: number, type: number, code: number): void;
}

export interface SocketOptions {
  kind: SocketKind;
  /** Local address, a u32. */
  address: number;
  /** Local UDP port, or the ICMP identifier. */
  port: number;
  dscp: number;
  /** Largest payload sent or received. */
  payloadBytes: number;
  txStamps: boolean;
  /** `counted` forces the key scheme of kernels before 6.13, for tests. */
  txKeys?: 'explicit' | 'counted';
}

export class TimestampingSocket {
  readonly fd: number;
  readonly kind: SocketKind;
  /** Messages to be sent: the caller writes payloads into its arena. */
  readonly outgoing: MessageBatch;
  /** Datagrams that the kernel dropped because this socket was full, so far (SO_RXQ_OVFL). */
  drops = 0;
  /** TX stamps that belonged to no packet we remember. */
  strayTxStamps = 0;
  readonly #incoming: MessageBatch;
  readonly #errors: MessageBatch;
  readonly #libc: Libc = libc();
  readonly #ancillary: Ancillary = blankAncillary();
  readonly #datagram: Datagram;
  readonly #pollfd = new Arena(LAYOUT.pollfd.size);
  readonly #txStamps: boolean;
  #explicitKeys: boolean;
  #explicitProven = false;
  #nextKey = 0;
  readonly #keys = new Int32Array(STAMP_TABLE).fill(-1);
  readonly #cookies = new Int32Array(STAMP_TABLE);

  /** Takes over a descriptor from `tryOpenSocket`; binds and configures it. Throws syscall_failed. */
  constructor(fd: number, options: SocketOptions) {
    this.fd = fd;
    this.kind = options.kind;
    this.#txStamps = options.txStamps;
    this.#explicitKeys = options.txKeys !== 'counted';
    const room = options.payloadBytes + (options.kind === 'icmp_raw' ? 60 : 0);
    this.outgoing = new MessageBatch(LIMITS.batchMessages, options.payloadBytes, TX_CONTROL_BYTES);
    this.#incoming = new MessageBatch(LIMITS.batchMessages, room, RX_CONTROL_BYTES);
    this.#errors = new MessageBatch(LIMITS.batchMessages, room, RX_CONTROL_BYTES);
    const { view } = this.#incoming.arena;
    this.#datagram = {
      view,
      offset: 0,
      length: 0,
      truncated: false,
      sourceAddress: 0,
      sourcePort: 0,
      stamped: false,
      seconds: 0,
      nanoseconds: 0,
      ttl: -1,
    };
    if (options.kind === 'icmp_raw') filterEchoReplies(fd, options.port);
    configureSocket(fd, options.dscp, LIMITS.receiveBufferBytes);
    bindSocket(fd, options.address, options.kind === 'icmp_raw' ? 0 : options.port);
    this.#enableStamps();
    this.#pollfd.view.setInt32(0, fd, true);
    this.#pollfd.view.setInt16(LAYOUT.pollfd.events, POLLIN, true);
  }

  /** Sets length and destination of a message whose payload has been written. */
  prepare(message: number, length: number, address: number, port: number): void {
    const { arena } = this.outgoing;
    writeSockaddr(arena.view, this.outgoing.name(message), address, this.kind === 'udp' ? port : 0);
    this.outgoing.prepare(message, length, LAYOUT.sockaddr_in.size);
  }

  /**
   * Sends messages `first` to `end - 1` in one system call; `cookies[message]` comes back with the TX stamp, which
   * `events` may hear of at once.
   * Returns how many went out, or the negated errno when not even the first did.
   */
  send(first: number, end: number, cookies: Int32Array, events: SocketEvents): number {
    if (this.#txStamps && this.#explicitKeys) this.#attachKeys(first, end, cookies);
    const sent = this.#libc.sendmmsg(this.fd, this.outgoing.address(first), end - first, MSG_DONTWAIT);
    if (sent < 0) return this.#refused(first, end, cookies, events, this.#libc.errno());
    this.#explicitProven = true;
    if (this.#txStamps && !this.#explicitKeys) {
      for (let message = first; message < first + sent; message += 1) this.#remember(cookies[message] ?? 0);
    }
    return sent;
  }

  #refused(first: number, end: number, cookies: Int32Array, events: SocketEvents, errno: number): number {
    if (errno === EINVAL && this.#txStamps && this.#explicitKeys && !this.#explicitProven) {
      // Kernels before 6.13 do not know SCM_TS_OPT_ID: go on with keys that the kernel counts.
      this.#explicitKeys = false;
      for (let message = first; message < end; message += 1) this.outgoing.setControlLength(message, 0);
      this.#resetKeys();
      return this.send(first, end, cookies, events);
    }
    if (this.#txStamps && !this.#explicitKeys) {
      // Older kernels consume a key for a packet they then refuse: once the stamps that are there have been read,
      // counting starts afresh rather than one off.
      this.drainErrors(events);
      this.#resetKeys();
    }
    return -errno;
  }

  /** Reads everything that has arrived. Returns the number of datagrams. */
  receive(events: SocketEvents): number {
    let total = 0;
    for (;;) {
      const received = this.#receiveBatch(this.#incoming, MSG_DONTWAIT);
      for (let message = 0; message < received; message += 1) this.#deliver(message, events);
      this.#incoming.rearm(received);
      total += received;
      if (received < this.#incoming.count) return total;
    }
  }

  /** Reads the error queue: TX stamps and ICMP errors. It shares the receive buffer, so it must never fill up. */
  drainErrors(events: SocketEvents): number {
    let total = 0;
    for (;;) {
      const received = this.#receiveBatch(this.#errors, MSG_DONTWAIT | MSG_ERRQUEUE);
      for (let message = 0; message < received; message += 1) this.#deliverError(message, events);
      this.#errors.rearm(received);
      total += received;
      if (received < this.#errors.count) return total;
    }
  }

  /** Blocks this thread until something can be read, at most `timeoutMs`. */
  waitReadable(timeoutMs: number): void {
    this.#libc.poll(this.#pollfd.address(0), 1, timeoutMs);
  }

  close(): void {
    closeSocket(this.fd);
  }

  #enableStamps(): void {
    setOption(this.fd, SOL_SOCKET, SO_TIMESTAMPING_NEW, this.#txStamps ? RX_FLAGS | TX_FLAGS : RX_FLAGS);
  }

  #resetKeys(): void {
    // Only switching OPT_ID off and on again makes the kernel count from 0.
    setOption(this.fd, SOL_SOCKET, SO_TIMESTAMPING_NEW, RX_FLAGS);
    this.#enableStamps();
    this.#keys.fill(-1);
    this.#nextKey = 0;
  }

  #attachKeys(first: number, end: number, cookies: Int32Array): void {
    const { view } = this.outgoing.arena;
    for (let message = first; message < end; message += 1) {
      const control = this.outgoing.control(message);
      view.setUint32(control, 20, true);
      view.setUint32(control + 4, 0, true);
      view.setInt32(control + 8, SOL_SOCKET, true);
      view.setInt32(control + 12, SCM_TS_OPT_ID, true);
      view.setUint32(control + 16, this.#nextKey, true);
      this.outgoing.setControlLength(message, 24);
      this.#remember(cookies[message] ?? 0);
    }
  }

  #remember(cookie: number): void {
    const at = this.#nextKey & (STAMP_TABLE - 1);
    this.#keys[at] = this.#nextKey | 0;
    this.#cookies[at] = cookie;
    this.#nextKey = (this.#nextKey + 1) >>> 0;
  }

  #receiveBatch(batch: MessageBatch, flags: number): number {
    const received = this.#libc.recvmmsg(this.fd, batch.address(0), batch.count, flags, 0);
    if (received >= 0) return received;
    const errno = this.#libc.errno();
    // With IP_RECVERR a pending ICMP error is also reported here once; its details wait in the error queue.
    if (errno === EAGAIN || errno === EINTR || errno >= EMSGSIZE) return 0;
    throw syscallError('recvmmsg', errno, 'report this as a bug of popprobe');
  }

  #deliver(message: number, events: SocketEvents): void {
    this.#fill(this.#incoming, message);
    const datagram = this.#datagram;
    if (this.#ancillary.drops >= 0) this.drops = this.#ancillary.drops;
    if (this.kind === 'icmp_raw') {
      const header = (datagram.view.getUint8(datagram.offset) & 0xf) * 4;
      datagram.ttl = datagram.view.getUint8(datagram.offset + 8);
      datagram.offset += header;
      datagram.length -= header;
    }
    if (datagram.length >= 0) events.onDatagram(datagram);
  }

  #deliverError(message: number, events: SocketEvents): void {
    this.#fill(this.#errors, message);
    const ancillary = this.#ancillary;
    if (ancillary.errorOrigin === SO_EE_ORIGIN_TIMESTAMPING) {
      const key = ancillary.errorData;
      const at = key & (STAMP_TABLE - 1);
      if (!ancillary.stamped || this.#keys[at] !== (key | 0)) {
        this.strayTxStamps += 1;
        return;
      }
      this.#keys[at] = -1;
      events.onTxStamp(this.#cookies[at] ?? 0, ancillary.seconds, ancillary.nanoseconds);
    } else if (ancillary.errorOrigin === SO_EE_ORIGIN_ICMP) {
      events.onIcmpError(this.#datagram, ancillary.errorNumber, ancillary.errorType, ancillary.errorCode);
    }
  }

  #fill(batch: MessageBatch, message: number): void {
    const { view } = batch.arena;
    const datagram = this.#datagram;
    readAncillary(view, batch.control(message), batch.controlReceived(message), this.#ancillary);
    const name = batch.name(message);
    datagram.view = view;
    datagram.offset = batch.payload(message);
    datagram.length = Math.min(batch.received(message), batch.payloadBytes);
    datagram.truncated = (batch.flags(message) & MSG_TRUNC) !== 0;
    datagram.sourceAddress = view.getUint32(name + LAYOUT.sockaddr_in.sin_addr);
    datagram.sourcePort = view.getUint16(name + LAYOUT.sockaddr_in.sin_port);
    datagram.stamped = this.#ancillary.stamped;
    datagram.seconds = this.#ancillary.seconds;
    datagram.nanoseconds = this.#ancillary.nanoseconds;
    datagram.ttl = this.#ancillary.ttl;
  }
}
