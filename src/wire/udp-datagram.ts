/**
 * The UDP header behind an IP header (RFC 768): how much data there is, and the checksum over data that is changed on the way.
 *
 * ```text
 *    0  Source Port 2   2  Destination Port 2   4  Length 2   6  Checksum 2   8  data
 * ```
 */

import { updatedChecksum } from './ip-checksum.ts';
import type { IpPacket } from './ip-packet.ts';

export const UDP_HEADER_BYTES = 8;
export const UDP_CHECKSUM_AT = 6;

/** Octets of data in the whole UDP datagram that a packet carries; -1 when its Length cannot be. */
export function udpDataBytes(view: DataView, { payloadOffset, payloadBytes }: IpPacket): number {
  if (payloadBytes < UDP_HEADER_BYTES) return -1;
  const length = view.getUint16(payloadOffset + 4);
  return length < UDP_HEADER_BYTES || length > payloadBytes ? -1 : length - UDP_HEADER_BYTES;
}

/**
 * Corrects the checksum after octets changed, from their sums `before` and `after`. 0 stays 0: there is none; a checksum
 * that comes out as 0 is written as 0xffff, which means the same number.
 */
export function updateUdpChecksum(view: DataView, packet: IpPacket, before: number, after: number): void {
  const at = packet.payloadOffset + UDP_CHECKSUM_AT;
  const checksum = view.getUint16(at);
  if (checksum === 0) return;
  const updated = updatedChecksum(checksum, before, after);
  view.setUint16(at, updated === 0 ? 0xffff : updated);
}
