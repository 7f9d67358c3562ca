/** A datagram socket whose packets the kernel stamps in both directions; sends and receives in batches. */

import { type IpAddress, familyOf } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { STAMP_SOURCE } from '../ring/layout.ts';
import {
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_TCLASS,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_TRUNC,
  SCM_TS_OPT_ID,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_ICMP6,
  SO_EE_ORIGIN_TIMESTAMPING,
  SO_TIMESTAMPING_NEW,
  SOF_TIMESTAMPING_OPT_ID,
  SOF_TIMESTAMPING_OPT_TSONLY,
  SOF_TIMESTAMPING_RX_SOFTWARE,
  SOF_TIMESTAMPING_SOFTWARE,
  SOF_TIMESTAMPING_TX_SOFTWARE,
  SOL_SOCKET,
} from './constants.ts';
import { type Ancillary, blankAncillary, readAncillary, writeIntControl } from './control-messages.ts';
import { type Libc, libc, syscallError } from './libc.ts';
import { filterEchoReplies } from './echo-filter.ts';
import { mayBeIcmpError } from './icmp-errnos.ts';
import { MessageBatch } from './message-batch.ts';
import { bindSocket, closeSocket, configureSocket, handsOutHeader, type SocketKind } from './socket.ts';
import { blankEndpoint, type Endpoint, readSockaddr, writeSockaddr } from './sockaddr.ts';
import { setOption, SocketMemory } from './socket-option.ts';
import { TxKeys } from './tx-keys.ts';

const EINTR = 4;
const EAGAIN = 11;
const EINVAL = 22;
const RX_CONTROL_BYTES = 256;
/** CMSG_SPACE of an int: the header and one 8-octet word. */
const INT_CONTROL_BYTES = 24;
/** Room for the TOS and the key of the TX stamp. */
const TX_CONTROL_BYTES = 2 * INT_CONTROL_BYTES;
const IPV4_HEADER_BYTES_MAX = 60;
const RX_FLAGS = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
const TX_FLAGS = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;

/** A received datagram, valid until the next one; one object per socket, filled again and again. */
export interface Datagram {
  view: DataView;
  /** Where the payload begins in `view`, IP header skipped. */
  offset: number;
  length: number;
  /** The datagram was longer than the buffer: what does not fit is gone. */
  truncated: boolean;
  /** Who sent it; for a quoted packet of ours, where it was going. */
  readonly source: Endpoint;
  /** When it arrived; `stamped` false means that nobody took the time and the reader's own clock must do. */
  stamped: boolean;
  /** Who took the stamp: one of STAMP_SOURCE. */
  stampSource: number;
  seconds: number;
  nanoseconds: number;
  /** TTL or hop limit of the received IP header, or -1 where the kernel did not say. */
  ttl: number;
  /** DSCP and ECN of the received IP header as the octet they stand in, or -1 where the kernel did not say. */
  tos: number;
}

/** An ICMP error as the kernel queued it, valid until the next one. */
export interface IcmpError {
  errno: number;
  type: number;
  code: number;
  /** Who sent it; without an address when the kernel does not say. */
  readonly offender: Endpoint;
}

/** Who is told what the socket reads; called for each message, nothing is kept. */
export interface SocketEvents {
  /** Datagrams have just been read and come next: a clock that is read now is past their stamps. */
  onRead(): void;
  onDatagram(datagram: Datagram): void;
  /** The kernel's TX stamp of the packet that was sent with this cookie. */
  onTxStamp(cookie: number, seconds: number, nanoseconds: number): void;
  /** An ICMP error for a packet of ours; the datagram holds what was quoted of it and where it was going. */
  onIcmpError(datagram: Datagram, error: IcmpError): void;
}

export interface SocketOptions {
  kind: SocketKind;
  /** Local address; it decides the family. */
  address: IpAddress;
  /** Local UDP port, or the ICMP identifier. */
  port: number;
  dscp: number;
  /** Largest payload sent or received. */
  payloadBytes: number;
  txStamps: boolean;
  /** Smaller than the limit only in tests of an overflow. */
  receiveBufferBytes?: number;
  /** The descriptor is bound to the address and port already. */
  isBound?: boolean;
  /** For tests: keys are named from the first packet on, or never, as on kernels before 6.13. */
  txKeys?: 'named' | 'counted';
}

export class TimestampingSocket {
  readonly fd: number;
  readonly kind: SocketKind;
  /** Messages to be sent: the caller writes payloads into its arena. */
  readonly outgoing: MessageBatch;
  readonly #incoming: MessageBatch;
  readonly #errors: MessageBatch;
  readonly #libc: Libc = libc();
  readonly #ancillary: Ancillary = blankAncillary();
  readonly #datagram: Datagram;
  readonly #error: IcmpError;
  readonly #memory: SocketMemory;
  readonly #isIpv4: boolean;
  readonly #hasIpHeader: boolean;
  readonly #txStamps: boolean;
  readonly #keys = new TxKeys();
  /** Whether each packet tells the kernel its key; otherwise the kernel counts, and so do we (docs/decisions/0018). */
  #isNaming: boolean;
  /** Whether this kernel knows named keys (6.13 and later): supposed so until it refuses the first. */
  #canName: boolean;
  #isNamingProven = false;
  /** The kernel may have counted a packet that it then refused. */
  #isCountDoubtful = false;
  /** Octets of ancillary data that each outgoing message has besides its key. */
  readonly #tosBytes = new Uint8Array(LIMITS.batchMessages);

  /** Takes over a descriptor from `tryOpenSocket`; binds and configures it. Throws syscall_failed. */
  constructor(fd: number, options: SocketOptions) {
    this.fd = fd;
    this.kind = options.kind;
    this.#txStamps = options.txStamps;
    this.#isNaming = options.txStamps && options.txKeys === 'named';
    this.#canName = options.txKeys !== 'counted';
    this.#isIpv4 = familyOf(options.address) === 'ipv4';
    this.#memory = new SocketMemory(fd);
    this.#hasIpHeader = handsOutHeader(options.kind, options.address);
    const room = options.payloadBytes + (this.#hasIpHeader ? IPV4_HEADER_BYTES_MAX : 0);
    this.outgoing = new MessageBatch(LIMITS.batchMessages, options.payloadBytes, TX_CONTROL_BYTES);
    this.#incoming = new MessageBatch(LIMITS.batchMessages, room, RX_CONTROL_BYTES);
    this.#errors = new MessageBatch(LIMITS.batchMessages, room, RX_CONTROL_BYTES);
    const { view } = this.#incoming.arena;
    this.#datagram = {
      view,
      offset: 0,
      length: 0,
      truncated: false,
      source: blankEndpoint(),
      stamped: false,
      stampSource: STAMP_SOURCE.kernel,
      seconds: 0,
      nanoseconds: 0,
      ttl: -1,
      tos: -1,
    };
    this.#error = { errno: 0, type: 0, code: 0, offender: this.#ancillary.offender };
    if (options.kind === 'icmp_raw') filterEchoReplies(fd, familyOf(options.address), options.port);
    configureSocket(fd, { receiveBufferBytes: LIMITS.receiveBufferBytes, ...options });
    if (options.isBound === true) {
      this.#resetKeys();
    } else {
      bindSocket(fd, options.address, options.kind === 'icmp_raw' ? 0 : options.port);
      this.#enableStamps();
    }
  }

  /** Drops the TX stamps that may still come for packets sent so far: their cookies mean nothing any more. */
  forgetSent(): void {
    this.#keys.forget();
  }

  /** Datagrams that the kernel dropped because this socket was full, so far; asks the kernel. */
  readDrops(): number {
    return this.#memory.readDrops();
  }

  /** Octets that may wait to be received, as the kernel accounts them; asks the kernel. */
  get receiveBufferBytes(): number {
    return this.#memory.readReceiveBuffer();
  }

  /**
   * Sets length and destination of a message whose payload has been written; `tos` is the octet of DSCP and ECN to send
   * it with, -1 for the socket's own.
   */
  prepare(message: number, length: number, to: Endpoint, tos = -1): void {
    const { outgoing } = this;
    const { view } = outgoing.arena;
    const nameBytes = writeSockaddr(view, outgoing.name(message), to);
    outgoing.prepare(message, length, nameBytes);
    this.#tosBytes[message] = tos < 0 ? 0 : INT_CONTROL_BYTES;
    if (tos < 0) return;
    const level = this.#isIpv4 ? IPPROTO_IP : IPPROTO_IPV6;
    writeIntControl(view, outgoing.control(message), level, this.#isIpv4 ? IP_TOS : IPV6_TCLASS, tos);
    outgoing.setControlLength(message, INT_CONTROL_BYTES);
  }

  /**
   * Sends messages `first` to `end - 1` in one system call; `cookies[message]` comes back with the TX stamp, which
   * `events` may hear of at once.
   * Returns how many went out, or the negated errno when not even the first did.
   */
  send(first: number, end: number, cookies: Int32Array, events: SocketEvents): number {
    if (this.#isCountDoubtful) this.#leaveCount(events);
    if (this.#isNaming) this.#attachKeys(first, end, cookies);
    const sent = this.#libc.sendmmsg(this.fd, this.outgoing.address(first), end - first, MSG_DONTWAIT);
    if (sent < 0) return this.#refused(first, end, cookies, events, this.#libc.errno());
    if (this.#isNaming) this.#isNamingProven = true;
    else if (this.#txStamps) this.#count(first, first + sent, end, cookies);
    return sent;
  }

  #count(first: number, sentEnd: number, end: number, cookies: Int32Array): void {
    for (let message = first; message < sentEnd; message += 1) this.#keys.remember(cookies[message] ?? 0);
    this.#isCountDoubtful = sentEnd < end;
  }

  #refused(first: number, end: number, cookies: Int32Array, events: SocketEvents, errno: number): number {
    this.#isCountDoubtful = this.#txStamps && !this.#isNaming;
    if (errno !== EINVAL || !this.#isNaming || this.#isNamingProven) return -errno;
    // Kernels before 6.13 do not know SCM_TS_OPT_ID: go on with keys that the kernel counts.
    this.#isNaming = false;
    this.#canName = false;
    this.#isCountDoubtful = true;
    for (let message = first; message < end; message += 1) {
      this.outgoing.setControlLength(message, this.#tosBytes[message] ?? 0);
    }
    return this.send(first, end, cookies, events);
  }

  /** Names keys from now on; where the kernel cannot, both count from 0 again once the stamps that are there are read. */
  #leaveCount(events: SocketEvents): void {
    this.#isCountDoubtful = false;
    if (this.#canName) {
      this.#isNaming = true;
      this.#keys.leap();
    } else {
      this.drainErrors(events);
      this.#resetKeys();
    }
  }

  /** Reads everything that has arrived. Returns the number of datagrams. */
  receive(events: SocketEvents): number {
    let total = 0;
    for (;;) {
      const received = this.#receiveBatch(this.#incoming, MSG_DONTWAIT);
      if (received > 0) events.onRead();
      for (let message = 0; message < received; message += 1) this.#deliver(message, events);
      this.#incoming.rearm(received);
      total += received;
      if (received < this.#incoming.count) return total;
    }
  }

  /**
   * Reads the error queue: TX stamps and ICMP errors. It shares the receive buffer, so it must never fill up.
   * Returns the number of ICMP errors.
   */
  drainErrors(events: SocketEvents): number {
    let icmpErrors = 0;
    for (;;) {
      const received = this.#receiveBatch(this.#errors, MSG_DONTWAIT | MSG_ERRQUEUE);
      for (let message = 0; message < received; message += 1) icmpErrors += this.#deliverError(message, events);
      this.#errors.rearm(received);
      if (received < this.#errors.count) return icmpErrors;
    }
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
    this.#keys.reset();
  }

  /** The key goes behind the TOS, if there is one; a message that is tried again gets a new one. */
  #attachKeys(first: number, end: number, cookies: Int32Array): void {
    const { outgoing } = this;
    for (let message = first; message < end; message += 1) {
      const before = this.#tosBytes[message] ?? 0;
      const key = this.#keys.remember(cookies[message] ?? 0);
      writeIntControl(outgoing.arena.view, outgoing.control(message) + before, SOL_SOCKET, SCM_TS_OPT_ID, key);
      outgoing.setControlLength(message, before + INT_CONTROL_BYTES);
    }
  }

  #receiveBatch(batch: MessageBatch, flags: number): number {
    for (let tries = 0; tries < LIMITS.batchMessages; tries += 1) {
      const received = this.#libc.recvmmsg(this.fd, batch.address(0), batch.count, flags, 0);
      if (received >= 0) return received;
      const errno = this.#libc.errno();
      if (errno === EAGAIN) return 0;
      // With IP_RECVERR an ICMP error is also reported here, once each; its details wait in the error queue.
      if (errno !== EINTR && !mayBeIcmpError(errno))
        throw syscallError('recvmmsg', errno, 'report this as a bug of popprobe');
    }
    return 0;
  }

  #deliver(message: number, events: SocketEvents): void {
    this.#readAncillary(this.#incoming, message);
    this.#fill(this.#incoming, message);
    const datagram = this.#datagram;
    if (this.#hasIpHeader) {
      const header = (datagram.view.getUint8(datagram.offset) & 0xf) * 4;
      datagram.tos = datagram.view.getUint8(datagram.offset + 1);
      datagram.ttl = datagram.view.getUint8(datagram.offset + 8);
      datagram.offset += header;
      datagram.length -= header;
    }
    if (datagram.length >= 0) events.onDatagram(datagram);
  }

  /** Returns 1 for an ICMP error, 0 for anything else. */
  #deliverError(message: number, events: SocketEvents): number {
    this.#readAncillary(this.#errors, message);
    const ancillary = this.#ancillary;
    if (ancillary.errorOrigin === SO_EE_ORIGIN_TIMESTAMPING) {
      const slot = ancillary.stamped ? this.#keys.take(ancillary.errorData) : -1;
      if (slot >= 0) events.onTxStamp(this.#keys.cookieAt(slot), ancillary.seconds, ancillary.nanoseconds);
      else if (this.#keys.isAhead(ancillary.errorData)) this.#isCountDoubtful = !this.#isNaming;
    } else if (ancillary.errorOrigin === SO_EE_ORIGIN_ICMP || ancillary.errorOrigin === SO_EE_ORIGIN_ICMP6) {
      this.#fill(this.#errors, message);
      this.#error.errno = ancillary.errorNumber;
      this.#error.type = ancillary.errorType;
      this.#error.code = ancillary.errorCode;
      events.onIcmpError(this.#datagram, this.#error);
      return 1;
    }
    return 0;
  }

  #readAncillary(batch: MessageBatch, message: number): void {
    readAncillary(batch.arena.view, batch.control(message), batch.controlLength(message), this.#ancillary);
  }

  /** A TX stamp comes without a datagram, one for each probe: what it has is in the ancillary data alone. */
  #fill(batch: MessageBatch, message: number): void {
    const { view } = batch.arena;
    const datagram = this.#datagram;
    datagram.view = view;
    datagram.offset = batch.payload(message);
    datagram.length = Math.min(batch.received(message), batch.payloadBytes);
    datagram.truncated = (batch.flags(message) & MSG_TRUNC) !== 0;
    readSockaddr(view, batch.name(message), datagram.source);
    datagram.stamped = this.#ancillary.stamped;
    datagram.seconds = this.#ancillary.seconds;
    datagram.nanoseconds = this.#ancillary.nanoseconds;
    datagram.ttl = this.#ancillary.ttl;
    datagram.tos = this.#ancillary.tos;
  }
}
