/** Types of what popprobe uses of raw-socket 1.8.1, which has none of its own. */

declare module 'raw-socket' {
  import type { EventEmitter } from 'node:events';

  /** The native socket behind a `Socket`. */
  interface SocketWrap {
    /** Sends at once: calls `sent` before it returns, or throws strerror's sentence. */
    send(buffer: Buffer, offset: number, length: number, address: string, sent: (octets: number) => void): void;
  }

  export interface Socket extends EventEmitter {
    readonly wrap: SocketWrap;
    on(event: 'message', listener: (octets: Buffer, source: string) => void): this;
    on(event: 'error', listener: (error: unknown) => void): this;
    /** An int, or the first `length` octets of a buffer. Throws strerror's sentence. */
    setOption(level: number, option: number, value: number): void;
    setOption(level: number, option: number, value: Buffer, length: number): void;
    /** Reads an option into the buffer, which says how many octets of it there are. Throws strerror's sentence. */
    getOption(level: number, option: number, value: Buffer, length: number): number;
    close(): this;
  }

  export const AddressFamily: { readonly IPv4: number; readonly IPv6: number };
  export const SocketLevel: { readonly SOL_SOCKET: number; readonly IPPROTO_IP: number; readonly IPPROTO_IPV6: number };
  export const SocketOption: {
    readonly SO_RCVBUF: number;
    readonly IP_TTL: number;
    readonly IP_TOS: number;
    readonly IPV6_UNICAST_HOPS: number;
  };

  /** The Internet checksum (RFC 1071), and its writing into a header. */
  export function createChecksum(octets: Buffer): number;
  export function writeChecksum(octets: Buffer, offset: number, checksum: number): Buffer;

  /** Opens the socket on the default event loop. Throws strerror's sentence. */
  export function createSocket(options: { protocol: number; addressFamily: number; bufferSize: number }): Socket;
}
