/** Types of what trace-session.ts uses of net-ping and raw-socket, which ship none. */

declare module 'net-ping' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'raw-socket';

  export const NetworkProtocol: { readonly IPv4: number; readonly IPv6: number };

  /** A probe that is out. Whoever makes it may add to it: the session hands the same object on. */
  export interface Request {
    id: number;
    ttl?: number;
    type?: number;
    code?: number;
  }

  export interface SessionOptions {
    networkProtocol: number;
    /** The ICMP identifier of its probes, 1 to 65534. */
    sessionId: number;
    /** Further tries after one that timed out. */
    retries: number;
    /** Of one try, ms. */
    timeout: number;
  }

  export class RequestTimedOutError extends Error {}

  export class Session extends EventEmitter {
    constructor(options: SessionOptions);
    readonly sessionId: number;
    /** One of raw-socket's `AddressFamily`. */
    readonly addressFamily: number;
    /** Requests that are out, by id. */
    readonly reqs: Readonly<Record<number, Request | undefined>>;
    getSocket(): Socket;
    close(): this;
    /** Sets the TTL of what is sent next. */
    setTTL(ttl: number): void;
    onBeforeSocketSend(request: Request): void;
    onSocketMessage(buffer: Buffer, source: string): void;
    /** The request that a received message answers. */
    fromBuffer(buffer: Buffer): Request | undefined;
    /** The octets of a request. */
    toBuffer(request: Request): Buffer;
    /** One probe for each TTL from `startTtl` to `ttl`, until `feed` returns true. */
    traceRoute(
      target: string,
      options: { startTtl: number; ttl: number },
      feed: (error: Error | null) => boolean,
      done: () => void,
    ): this;
  }
}

declare module 'raw-socket' {
  export interface Socket {
    /** An int, or the first `length` octets of a buffer. Throws what the kernel says. */
    setOption(level: number, option: number, value: number): void;
    setOption(level: number, option: number, value: Buffer, length: number): void;
  }

  export const AddressFamily: { readonly IPv4: number; readonly IPv6: number };
  export const SocketLevel: { readonly IPPROTO_IP: number; readonly IPPROTO_IPV6: number };
  export const SocketOption: { readonly IP_TTL: number; readonly IPV6_UNICAST_HOPS: number };
}
