/** Whole IP packets for tests, put together octet by octet from RFC 791, RFC 8200 and RFC 768. */

import { fromHex, viewOf } from './bytes.ts';
import { plainChecksum, plainTransportChecksum } from './plain-checksum.ts';

export const SOURCE = { ipv4: 'c6120101', ipv6: '20010db8000100000000000000000001' } as const;
export const DESTINATION = { ipv4: 'c6120302', ipv6: '20010db8000300000000000000000002' } as const;

export type Family = 'ipv4' | 'ipv6';
export const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
export const ICMP_PROTOCOL = { ipv4: 1, ipv6: 58 } as const;
export const UDP = 17;

export interface HeaderFields {
  source?: string;
  destination?: string;
  ttl?: number;
  /** Flags and Fragment Offset; without it the packet may not be fragmented. */
  fragmentation?: number;
  /** IPv4 options, a multiple of four octets. */
  options?: string;
  /** IPv6 extension headers; the first is of the type in `next`, the last one names `protocol` itself. */
  extensions?: string;
  next?: number;
}

/** An IP packet with TTL 64 and these octets as its payload, in hex. */
export function ipPacket(family: Family, protocol: number, payload: string, fields: HeaderFields = {}): Uint8Array {
  return family === 'ipv4' ? ipv4Packet(protocol, payload, fields) : ipv6Packet(protocol, payload, fields);
}

function ipv4Packet(protocol: number, payload: string, fields: HeaderFields): Uint8Array {
  const options = fields.options ?? '';
  const headerBytes = 20 + options.length / 2;
  const addresses = (fields.source ?? SOURCE.ipv4) + (fields.destination ?? DESTINATION.ipv4);
  const octets = fromHex(`${'00'.repeat(12)}${addresses}${options}${payload}`);
  const view = viewOf(octets);
  view.setUint8(0, 0x40 | (headerBytes / 4));
  view.setUint16(2, octets.length);
  view.setUint16(6, fields.fragmentation ?? 0x4000);
  view.setUint8(8, fields.ttl ?? 64);
  view.setUint8(9, protocol);
  view.setUint16(10, plainChecksum(octets.subarray(0, headerBytes)));
  return octets;
}

function ipv6Packet(protocol: number, payload: string, fields: HeaderFields): Uint8Array {
  const addresses = (fields.source ?? SOURCE.ipv6) + (fields.destination ?? DESTINATION.ipv6);
  const octets = fromHex(`6000000000000000${addresses}${fields.extensions ?? ''}${payload}`);
  const view = viewOf(octets);
  view.setUint16(4, octets.length - 40);
  view.setUint8(6, fields.next ?? protocol);
  view.setUint8(7, fields.ttl ?? 64);
  return octets;
}

/** An IP packet with a UDP datagram whose checksum is right; the data is hex. */
export function udpPacket(family: Family, sourcePort: number, destinationPort: number, data: string): Uint8Array {
  const bytes = fromHex(data).length + 8;
  const header = [sourcePort, destinationPort, bytes, 0].map((field) => field.toString(16).padStart(4, '0')).join('');
  const octets = ipPacket(family, UDP, header + data);
  const at = octets.length - bytes + 6;
  const checksum = plainTransportChecksum(octets);
  viewOf(octets).setUint16(at, checksum === 0 ? 0xffff : checksum);
  return octets;
}

/** An IP packet with an ICMP message of 8 octets of header and these of payload, its checksum right. */
export function icmpPacket(family: Family, type: number, rest: string, fields: HeaderFields = {}): Uint8Array {
  const message = `${type.toString(16).padStart(2, '0')}000000${rest}`;
  const octets = ipPacket(family, ICMP_PROTOCOL[family], message, fields);
  viewOf(octets).setUint16(octets.length - message.length / 2 + 2, plainTransportChecksum(octets));
  return octets;
}
