/** A bit error on the line: one bit of a packet turned, where only the receiver's checksum can find it. */

import type { IpPacket } from './ip-packet.ts';
import { UDP_CHECKSUM_AT, UDP_HEADER_BYTES } from './udp-datagram.ts';

/**
 * Turns one bit behind the IP header; `random01`, from 0 to below 1, says which. No checksum is corrected. Ports, types and
 * lengths are spared, so that the damaged packet still reaches who it was for: only octets from the ninth on are hit. Of a
 * datagram without data the checksum is hit; what is shorter stays whole.
 */
export function flipBit(view: DataView, packet: IpPacket, random01: number): void {
  const { payloadOffset, payloadBytes } = packet;
  if (payloadBytes < UDP_HEADER_BYTES) return;
  const first = payloadBytes === UDP_HEADER_BYTES ? UDP_CHECKSUM_AT : UDP_HEADER_BYTES;
  const bits = (payloadBytes - first) * 8;
  const bit = Math.min(bits - 1, Math.floor(random01 * bits));
  const at = payloadOffset + first + (bit >>> 3);
  const mask = 1 << (bit & 7);
  view.setUint8(at, view.getUint8(at) ^ mask);
  // A UDP checksum of 0 would say that there is none (RFC 768): then another bit is wrong too.
  const isNone = first === UDP_CHECKSUM_AT && view.getUint16(payloadOffset + first) === 0;
  if (isNone) view.setUint8(at, mask === 1 ? 2 : 1);
}
