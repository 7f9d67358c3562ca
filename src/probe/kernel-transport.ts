/** The kernel as transport: one timestamping socket, refused sends told apart from sent ones. */

import { familyOf } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { mayBeIcmpError } from '../linux/icmp-errnos.ts';
import type { Endpoint } from '../linux/sockaddr.ts';
import { tryOpenSocket, type SocketKind } from '../linux/socket.ts';
import { type SocketOptions, TimestampingSocket } from '../linux/timestamping-socket.ts';
import type { Transport, TransportEvents } from './transport.ts';

const EINTR = 4;

/** Each try in vain takes an ICMP error off the socket; only a flood of forged ones brings more than were sent. */
const TRIES_MAX = LIMITS.batchMessages;

export class KernelTransport implements Transport {
  readonly name: string;
  readonly #socket: TimestampingSocket;
  /** The error queue was read after a batch was sent, and no datagram since. */
  #isDrained = false;

  constructor(socket: TimestampingSocket) {
    this.#socket = socket;
    this.name = `kernel ${socket.kind}`;
  }

  /** A transport with other options on the same UDP socket, which stays bound; this one must not be used any more. */
  setUpAnew(options: Omit<SocketOptions, 'kind'>): KernelTransport {
    const { fd, kind } = this.#socket;
    return new KernelTransport(new TimestampingSocket(fd, { ...options, kind, isBound: true }));
  }

  /** Its descriptor, for those who wait for it. */
  get fd(): number {
    return this.#socket.fd;
  }

  get outgoing(): TimestampingSocket['outgoing'] {
    return this.#socket.outgoing;
  }

  /** See `TimestampingSocket.forgetSent`. */
  forgetSent(): void {
    this.#socket.forgetSent();
  }

  get receiveBufferBytes(): number {
    return this.#socket.receiveBufferBytes;
  }

  readDrops(): number {
    return this.#socket.readDrops();
  }

  prepare(message: number, length: number, to: Endpoint, tos = -1): void {
    this.#socket.prepare(message, length, to, tos);
  }

  /**
   * The kernel says only of the first message why it was not sent; a batch that stopped short goes on with the message it
   * stopped at, which then is the first.
   */
  send(count: number, cookies: Int32Array, events: TransportEvents): void {
    let next = 0;
    let tries = 0;
    while (next < count) {
      const sent = this.#socket.send(next, count, cookies, events);
      if (sent > 0) {
        for (let message = next; message < next + sent; message += 1) events.onSent(cookies[message] ?? 0);
        next += sent;
        tries = 0;
      } else if (this.#isWorthAnotherTry(-sent, tries, events)) {
        tries += 1;
      } else {
        events.onRefused(cookies[next] ?? 0, -sent);
        next += 1;
        tries = 0;
      }
    }
    this.#socket.drainErrors(events);
    this.#isDrained = true;
  }

  receive(events: TransportEvents): void {
    if (!this.#isDrained) this.#socket.drainErrors(events);
    this.#isDrained = false;
    this.#socket.receive(events);
  }

  close(): void {
    this.#socket.close();
  }

  /**
   * With IP_RECVERR an ICMP error that one packet brought about fails the next send, to whomever. It is read, and this
   * packet gets its own chance: once in any case, since the kernel marks the socket a moment after it has queued the
   * error, and again as long as there were more of them.
   */
  #isWorthAnotherTry(errno: number, tries: number, events: TransportEvents): boolean {
    if (errno === EINTR) return tries < TRIES_MAX;
    if (!mayBeIcmpError(errno)) return false;
    return this.#socket.drainErrors(events) > 0 ? tries < TRIES_MAX : tries === 0;
  }
}

/** Opens a kernel transport of the first kind that this host permits; otherwise returns the errno of each refusal. */
export function openKernelTransport(
  kinds: readonly SocketKind[],
  options: Omit<SocketOptions, 'kind'>,
): KernelTransport | { refusals: { kind: SocketKind; errno: number }[] } {
  const refusals: { kind: SocketKind; errno: number }[] = [];
  for (const kind of kinds) {
    const fd = tryOpenSocket(kind, familyOf(options.address));
    if (fd >= 0) return new KernelTransport(new TimestampingSocket(fd, { ...options, kind }));
    refusals.push({ kind, errno: -fd });
  }
  return { refusals };
}
