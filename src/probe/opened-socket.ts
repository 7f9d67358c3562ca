/** What is said of each probing socket once it is open. */

import type { Transport } from './transport.ts';

export interface OpenedSocket {
  kind: 'icmp' | 'stamp';
  /** What carries its packets. */
  transport: string;
  /** 0 unless the host permits no socket of the kind. */
  errno: number;
  /** Octets that may wait to be received, as the operating system accounts them; null without a socket. */
  receiveBufferBytes: number | null;
}

export function openedSocket(kind: OpenedSocket['kind'], transport: Transport, errno: number): OpenedSocket {
  return { kind, transport: transport.name, errno, receiveBufferBytes: transport.receiveBufferBytes ?? null };
}
