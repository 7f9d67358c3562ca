/** ICMP echo by raw-socket, where there is no kernel transport: on the main thread only, stamped in user space. */

import type * as RawSocketModule from 'raw-socket';
import type { Socket } from 'raw-socket';
import type { Clock } from '../base/clock.ts';
import { familyOf, type IpAddress, type IpFamily } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { ICMP_FILTER, ICMPV6_FILTER, IPPROTO_ICMPV6, IPV6_TCLASS, SOL_RAW } from '../linux/constants.ts';
import { formatIp } from '../linux/ip-text.ts';
import { syscallError } from '../linux/libc.ts';
import type { Endpoint } from '../linux/sockaddr.ts';
import { ICMP_FAMILY, sortIcmp } from '../wire/icmp-message.ts';
import { ArrivalQueue } from './arrival-queue.ts';
import { OutgoingOctets } from './outgoing-octets.ts';
import { errnoOfSentence } from './portable-errno.ts';
import { setLargestBuffer } from './socket-buffer.ts';
import type { Transport, TransportEvents } from './transport.ts';

const EAGAIN = 11;
const EOPNOTSUPP = 95;
const ENOPKG = 65;
const EHOSTUNREACH = 113;
const TTL = 255;
const IPV4_HEADER_BYTES_MAX = 60;
/** An error and the header of the packet it quotes, beyond that packet's payload. */
const ERROR_BYTES_MAX = IPV4_HEADER_BYTES_MAX + 8;
/** One more than fits, by which a longer message can be told. */
const BEYOND_BYTES = 1;

export interface RawSocketOptions {
  /** Its family is used; the kernel chooses the source address, since raw-socket cannot bind. */
  address: IpAddress;
  /** The ICMP identifier. */
  identifier: number;
  dscp: number;
  /** Largest ICMP message sent or received whole. */
  payloadBytes: number;
  clock: Clock;
}

/** Opens a socket, or returns the errno with which this host refuses it: ENOPKG where raw-socket cannot be loaded. */
export async function openRawSocketTransport(
  options: RawSocketOptions,
): Promise<RawSocketTransport | { errno: number }> {
  let raw: typeof RawSocketModule;
  try {
    raw = await import('raw-socket');
  } catch {
    // A native package that was not built for this machine: errnoSentence(ENOPKG) says what to do.
    return { errno: ENOPKG };
  }
  const family = familyOf(options.address);
  // The traffic class of IPv6 has another number on each platform, and raw-socket knows none.
  if (family === 'ipv6' && options.dscp !== 0 && process.platform !== 'linux') return { errno: EOPNOTSUPP };
  let socket: Socket;
  try {
    socket = raw.createSocket({
      protocol: ICMP_FAMILY[family].protocol,
      addressFamily: family === 'ipv4' ? raw.AddressFamily.IPv4 : raw.AddressFamily.IPv6,
      bufferSize: options.payloadBytes + IPV4_HEADER_BYTES_MAX + ERROR_BYTES_MAX + BEYOND_BYTES,
    });
  } catch (error) {
    return { errno: errnoOfSentence(error) };
  }
  try {
    configure(raw, socket, family, options.dscp);
    return new RawSocketTransport(socket, options, receiveBufferOf(raw, socket));
  } catch (error) {
    socket.close();
    return { errno: errnoOfSentence(error) };
  }
}

/** An int of the host's byte order, which is little-endian wherever Node.js has releases. */
function receiveBufferOf({ SocketLevel, SocketOption }: typeof RawSocketModule, socket: Socket): number {
  const value = Buffer.alloc(4);
  socket.getOption(SocketLevel.SOL_SOCKET, SocketOption.SO_RCVBUF, value, value.length);
  return value.readInt32LE();
}

function configure(raw: typeof RawSocketModule, socket: Socket, family: IpFamily, dscp: number): void {
  const { SocketLevel, SocketOption } = raw;
  setLargestBuffer((bytes) => socket.setOption(SocketLevel.SOL_SOCKET, SocketOption.SO_RCVBUF, bytes));
  if (process.platform === 'linux') filter(socket, family);
  if (family === 'ipv4') {
    socket.setOption(SocketLevel.IPPROTO_IP, SocketOption.IP_TTL, TTL);
    socket.setOption(SocketLevel.IPPROTO_IP, SocketOption.IP_TOS, dscp << 2);
    return;
  }
  socket.setOption(SocketLevel.IPPROTO_IPV6, SocketOption.IPV6_UNICAST_HOPS, TTL);
  if (dscp !== 0) socket.setOption(SocketLevel.IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
}

/** Lets only replies and errors into the receive buffer, where the platform can. */
function filter(socket: Socket, family: IpFamily): void {
  const { reply, errors } = ICMP_FAMILY[family];
  const passed = [reply, ...errors];
  if (family === 'ipv4') {
    socket.setOption(SOL_RAW, ICMP_FILTER, ~passed.reduce((bits, type) => bits | (1 << type), 0) >>> 0);
    return;
  }
  const dropped = Buffer.alloc(32, 0xff);
  for (const type of passed) {
    const word = (type >> 5) * 4;
    dropped.writeUInt32LE((dropped.readUInt32LE(word) & ~(1 << (type & 31))) >>> 0, word);
  }
  socket.setOption(IPPROTO_ICMPV6, ICMPV6_FILTER, dropped, dropped.length);
}

export class RawSocketTransport implements Transport {
  readonly name = 'raw-socket icmp';
  readonly hidesDrops = true;
  readonly outgoing: OutgoingOctets;
  readonly receiveBufferBytes: number;
  readonly #socket: Socket;
  readonly #family: IpFamily;
  readonly #identifier: number;
  readonly #queue: ArrivalQueue;
  #failure: unknown = null;

  constructor(socket: Socket, options: RawSocketOptions, receiveBufferBytes: number) {
    this.#socket = socket;
    this.receiveBufferBytes = receiveBufferBytes;
    this.#family = familyOf(options.address);
    this.#identifier = options.identifier;
    this.outgoing = new OutgoingOctets(LIMITS.batchMessages, options.payloadBytes);
    this.#queue = new ArrivalQueue(options.clock, options.payloadBytes);
    socket.on('message', (octets, source) => this.#sort(octets, source));
    socket.on('error', (error) => {
      // raw-socket reads although another wake-up was the last.
      if (errnoOfSentence(error) !== EAGAIN) this.#failure = error;
    });
  }

  /** Those that found no room here; what the kernel dropped before, raw-socket does not tell. */
  readDrops(): number {
    return this.#queue.drops;
  }

  prepare(message: number, length: number, to: Endpoint): void {
    this.outgoing.prepare(message, length, to);
  }

  /**
   * By the binding and not by raw-socket's own `send`, which sends one packet per turn of the event loop: T1 would be
   * long past for the last of a batch.
   */
  send(count: number, cookies: Int32Array, events: TransportEvents): void {
    const { outgoing } = this;
    for (let message = 0; message < count; message += 1) {
      const cookie = cookies[message] ?? 0;
      const errno = this.#sendOne(outgoing.payload(message), outgoing.length(message), outgoing.address(message));
      if (errno === 0) events.onSent(cookie);
      else events.onRefused(cookie, errno);
    }
  }

  receive(events: TransportEvents): void {
    if (this.#failure !== null) {
      throw syscallError('recvfrom', errnoOfSentence(this.#failure), 'report this as a bug of popprobe');
    }
    this.#queue.drain(events);
  }

  close(): void {
    this.#socket.close();
  }

  /** Returns 0 or the errno. */
  #sendOne(offset: number, length: number, address: string): number {
    try {
      this.#socket.wrap.send(this.outgoing.octets, offset, length, address, () => undefined);
      return 0;
    } catch (error) {
      return errnoOfSentence(error);
    }
  }

  /** A raw socket hears everybody's ICMP; what is not for this identifier is none of ours. */
  #sort(octets: Buffer, source: string): void {
    const message = sortIcmp(octets, this.#family, this.#identifier);
    if (message.kind === 'other') return;
    const { ttl, tos, type, code } = message;
    const isError = message.kind === 'error';
    this.#queue.push({
      octets: octets.subarray(message.offset),
      source: isError ? formatIp(message.destination) : source,
      port: 0,
      ttl,
      tos,
      error: isError ? { errno: EHOSTUNREACH, type, code, offender: source } : null,
    });
  }
}
