/** The contract between the engine and whatever carries its packets: the kernel, Node.js' own sockets, a test's memory. */

import type { Endpoint } from '../linux/sockaddr.ts';
import type { Datagram, IcmpError, SocketEvents } from '../linux/timestamping-socket.ts';

/** What a transport tells the engine. Cookies are what the engine gave with the packet: the slot number. */
export interface TransportEvents extends SocketEvents {
  /** The local kernel took the packet. */
  onSent(cookie: number): void;
  /** The local kernel did not send the packet. */
  onRefused(cookie: number, errno: number): void;
}

export type { Datagram, IcmpError };

/** Where the next packets are written: message `n` begins at `payload(n)` of `arena.view`. */
export interface Outgoing {
  readonly count: number;
  readonly arena: { readonly view: DataView };
  payload(message: number): number;
}

export interface Transport {
  /** Names the transport in summaries, such as 'kernel udp'. */
  readonly name: string;
  readonly outgoing: Outgoing;
  /**
   * The kernel may drop datagrams in a buffer that this transport cannot look into: once it was not read for long, silence
   * says nothing any more.
   */
  readonly hidesDrops?: boolean;
  /** Octets that may wait to be received, as the operating system accounts them; left out where nothing was opened. */
  readonly receiveBufferBytes?: number;
  /** Datagrams lost so far because the receive buffer was full, as far as the transport can tell. */
  readDrops(): number;
  /**
   * Sets length and destination of a message whose payload has been written, the port 0 for ICMP; `tos` is the octet of DSCP and ECN to send
   * it with, -1 (as when it is left out) for the socket's own. A transport that cannot set it ignores it.
   */
  prepare(message: number, length: number, to: Endpoint, tos?: number): void;
  /**
   * Sends the first `count` messages. Each gets exactly one `onSent` or `onRefused`: before this returns, or, where the
   * operating system says it later, in the next `receive` after the event loop has turned, ahead of any datagram.
   */
  send(count: number, cookies: Int32Array, events: TransportEvents): void;
  /** Reads what became of earlier sends, all TX stamps and errors, then all datagrams that have arrived. Never blocks. */
  receive(events: TransportEvents): void;
  close(): void;
}
