/** The kernel as transport: one timestamping socket, refused sends told apart from sent ones. */

import { familyOf, type IpAddress } from '../base/ip-address.ts';
import { tryOpenSocket, type SocketKind } from '../linux/socket.ts';
import { type SocketOptions, TimestampingSocket } from '../linux/timestamping-socket.ts';
import type { Transport, TransportEvents } from './transport.ts';

const EINTR = 4;
const ENOPROTOOPT = 92;
const EPROTO = 71;
const ENETUNREACH = 101;
const ECONNREFUSED = 111;
const EHOSTDOWN = 112;
const EHOSTUNREACH = 113;

/** With IP_RECVERR an ICMP error caused by one packet fails the next send, to whomever: these errnos can mean that. */
const MAY_BE_ANOTHERS = new Set([EINTR, EPROTO, ENOPROTOOPT, ENETUNREACH, ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH]);

export class KernelTransport implements Transport {
  readonly name: string;
  readonly #socket: TimestampingSocket;

  constructor(socket: TimestampingSocket) {
    this.#socket = socket;
    this.name = `kernel ${socket.kind}`;
  }

  get outgoing(): TimestampingSocket['outgoing'] {
    return this.#socket.outgoing;
  }

  readDrops(): number {
    return this.#socket.readDrops();
  }

  prepare(message: number, length: number, address: IpAddress, port: number, tos = -1): void {
    this.#socket.prepare(message, length, address, port, tos);
  }

  send(count: number, cookies: Int32Array, events: TransportEvents): void {
    let next = 0;
    let retried = -1;
    while (next < count) {
      const sent = this.#socket.send(next, count, cookies, events);
      if (sent > 0) {
        for (let message = next; message < next + sent; message += 1) events.onSent(cookies[message] ?? 0);
        next += sent;
      } else if (retried !== next && MAY_BE_ANOTHERS.has(-sent)) {
        // Another packet's ICMP error: it is read, and this packet gets its own chance, once.
        retried = next;
        this.#socket.drainErrors(events);
      } else {
        events.onRefused(cookies[next] ?? 0, -sent);
        next += 1;
      }
    }
    this.#socket.drainErrors(events);
  }

  receive(events: TransportEvents): void {
    this.#socket.drainErrors(events);
    this.#socket.receive(events);
  }

  close(): void {
    this.#socket.close();
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
