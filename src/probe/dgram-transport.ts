/** UDP by node:dgram, where there is no kernel transport: works everywhere, and all its stamps are user space's. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Clock } from '../base/clock.ts';
import { familyOf, type IpAddress } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { formatIp } from '../linux/ip-text.ts';
import { syscallError } from '../linux/libc.ts';
import type { Endpoint } from '../linux/sockaddr.ts';
import { bindError } from '../linux/socket.ts';
import { ArrivalQueue } from './arrival-queue.ts';
import { OutgoingOctets } from './outgoing-octets.ts';
import { errnoOfNodeError } from './portable-errno.ts';
import { setLargestBuffer } from './socket-buffer.ts';
import type { Transport, TransportEvents } from './transport.ts';

const EAGAIN = 11;
const TTL = 255;
/** What Windows makes of an ICMP error for an earlier packet; it does not say which. */
const ANOTHERS_ERROR = 'ECONNRESET';

export interface DgramOptions {
  /** Local address; it decides the family. */
  address: IpAddress;
  port: number;
  /** Largest payload sent or received whole. */
  payloadBytes: number;
  clock: Clock;
}

/** Opens a socket. Rejects with syscall_failed when the address or port is not to be had. */
export async function openDgramTransport(options: DgramOptions): Promise<DgramTransport> {
  const isIpv6 = familyOf(options.address) === 'ipv6';
  const socket = createSocket({
    type: isIpv6 ? 'udp6' : 'udp4',
    ipv6Only: isIpv6,
    // Every address is one already. Answered at once, a packet is sent at once too, and not when a resolver has run.
    lookup: (address, _options, found) => found(null, address, isIpv6 ? 6 : 4),
  });
  // Awaited from before the bind, which says so at once.
  const listening = once(socket, 'listening');
  socket.bind({ address: formatIp(options.address), port: options.port, exclusive: true });
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw bindError(options.address, options.port, errnoOfNodeError(error));
  }
  setLargestBuffer((bytes) => socket.setRecvBufferSize(bytes));
  setLargestBuffer((bytes) => socket.setSendBufferSize(bytes));
  socket.setTTL(TTL);
  return new DgramTransport(socket, options);
}

export class DgramTransport implements Transport {
  readonly name = 'node dgram';
  readonly hidesDrops = true;
  readonly outgoing: OutgoingOctets;
  /** Called when there is something to receive, for whoever does not wait for a tick. */
  onReadable: (() => void) | null = null;
  readonly #socket: Socket;
  readonly #queue: ArrivalQueue;
  /** What became of the packets handed over since the last `receive`: cookie and errno, 0 for sent. */
  #results: { cookie: number; errno: number }[] = [];
  #failure: unknown = null;

  constructor(socket: Socket, options: Pick<DgramOptions, 'payloadBytes' | 'clock'>) {
    this.#socket = socket;
    this.outgoing = new OutgoingOctets(LIMITS.batchMessages, options.payloadBytes);
    this.#queue = new ArrivalQueue(options.clock, options.payloadBytes);
    socket.on('message', (octets, { address, port }) => {
      this.#queue.push({ octets, source: address, port, ttl: -1, tos: -1, error: null });
      this.onReadable?.();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === ANOTHERS_ERROR) return;
      this.#failure = error;
      this.onReadable?.();
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  get receiveBufferBytes(): number {
    return this.#socket.getRecvBufferSize();
  }

  /** Those that found no room here; what the kernel dropped before, Node.js does not tell. */
  readDrops(): number {
    return this.#queue.drops;
  }

  prepare(message: number, length: number, to: Endpoint): void {
    this.outgoing.prepare(message, length, to);
  }

  /** Node.js has asked the kernel when this returns, and tells the answer before it runs anything else. */
  send(count: number, cookies: Int32Array, events: TransportEvents): void {
    for (let message = 0; message < count; message += 1) {
      const cookie = cookies[message] ?? 0;
      if (this.#isBacklogged() || !this.#handOver(message, cookie)) events.onRefused(cookie, EAGAIN);
    }
  }

  receive(events: TransportEvents): void {
    const results = this.#results;
    this.#results = [];
    for (const { cookie, errno } of results) {
      if (errno === 0) events.onSent(cookie);
      else events.onRefused(cookie, errno);
    }
    if (this.#failure !== null) {
      throw syscallError('recvmsg', errnoOfNodeError(this.#failure), 'report this as a bug of popprobe');
    }
    this.#queue.drain(events);
  }

  close(): void {
    this.#socket.close();
  }

  /**
   * False when the kernel had no room: the packet then leaves at a time that nobody knows, and Node.js cannot take it back.
   * What is sent is a copy, so that it is at least the packet that was meant.
   */
  #handOver(message: number, cookie: number): boolean {
    const { outgoing } = this;
    const octets = Buffer.copyBytesFrom(outgoing.octets, outgoing.payload(message), outgoing.length(message));
    let isBacklogged = false;
    this.#socket.send(octets, outgoing.port(message), outgoing.address(message), (error) => {
      if (isBacklogged) return;
      this.#results.push({ cookie, errno: error === null ? 0 : errnoOfNodeError(error) });
      this.onReadable?.();
    });
    isBacklogged = this.#isBacklogged();
    return !isBacklogged;
  }

  #isBacklogged(): boolean {
    return this.#socket.getSendQueueCount() > 0;
  }
}
