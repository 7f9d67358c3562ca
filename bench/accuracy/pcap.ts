/** Reads what tcpdump wrote: nanosecond pcap of Ethernet frames, IPv4 or IPv6, down to the number of each probe. */

import { readFileSync } from 'node:fs';
import { parseIp } from '../../src/linux/ip-text.ts';

/** A probe or its reply as it was seen on the wire. */
export interface Seen {
  isReply: boolean;
  /** The probe's number, see `Numbering`. */
  sequence: number;
  seconds: number;
  nanoseconds: number;
}

/**
 * Which number tells the probes apart: the 16 bits of ICMP (fping and ping), our own 32 bits inside our ICMP payload
 * and our STAMP packet, or the 32 bits of irtt's packets.
 */
export type Numbering = 'icmp' | 'popprobe' | 'irtt';

/** Whose probes are meant: the address they go to, and how they are numbered. */
export interface Probed {
  address: string;
  numbering: Numbering;
}

type Probe = Pick<Seen, 'isReply' | 'sequence'>;

/** A packet's payload behind its IP header. */
interface Packet {
  protocol: number;
  payload: number;
  isReply: boolean;
}

const MAGIC_NS = 0xa1b23c4d;
const LINKTYPE_ETHERNET = 1;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const ETHERNET_BYTES = 14;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const IPV6_HEADER_BYTES = 40;
const PROTOCOL_ICMP = 1;
const PROTOCOL_UDP = 17;
const PROTOCOL_ICMPV6 = 58;
const UDP_HEADER_BYTES = 8;
/** Echo request and reply of ICMP (RFC 792) and ICMPv6 (RFC 4443 section 4). */
const ECHO_TYPES = { [PROTOCOL_ICMP]: { request: 8, reply: 0 }, [PROTOCOL_ICMPV6]: { request: 128, reply: 129 } };
/** Where the probe's own 32-bit number is: in our ICMP payload, in a STAMP request, in a STAMP reply. */
const ECHO_PROBE_SEQUENCE = 20;
const STAMP_SEQUENCE = 0;
const STAMP_SENDER_SEQUENCE = 24;
/** irtt, protocol version 1: magic 14 a7 5b, flags, connection token of 8 octets, number. Other flags open and close. */
const IRTT_FLAGS = 3;
const IRTT_REPLY = 0x02;
const IRTT_SEQUENCE = 12;

/** All its probes and replies in the file, in order of capture. Throws when the file is not a nanosecond pcap. */
export function readCapture(file: string, probed: Probed): Seen[] {
  const octets = readFileSync(file);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const isLittle = view.getUint32(0, true) === MAGIC_NS;
  if (!isLittle && view.getUint32(0) !== MAGIC_NS) throw new Error(`${file} is not a pcap with nanoseconds`);
  if (view.getUint32(20, isLittle) !== LINKTYPE_ETHERNET) throw new Error(`${file} does not hold Ethernet frames`);
  const peer = parseIp(probed.address);
  const seen: Seen[] = [];
  for (let at = FILE_HEADER_BYTES; at + RECORD_HEADER_BYTES <= view.byteLength; ) {
    const captured = view.getUint32(at + 8, isLittle);
    const frame = at + RECORD_HEADER_BYTES;
    const packet = readFrame(view, frame, peer);
    const probe = packet && readProbe(view, packet, probed.numbering);
    const [seconds, nanoseconds] = [view.getUint32(at, isLittle), view.getUint32(at + 4, isLittle)];
    if (probe) seen.push({ ...probe, seconds, nanoseconds });
    at = frame + captured;
  }
  return seen;
}

/** The packet of a frame from or to the peer, or null. */
function readFrame(view: DataView, frame: number, peer: Uint8Array): Packet | null {
  const ip = frame + ETHERNET_BYTES;
  const isIpv6 = peer.length === 16;
  if (view.getUint16(frame + 12) !== (isIpv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4)) return null;
  const source = ip + (isIpv6 ? 8 : 12);
  const isReply = holds(view, source, peer);
  if (!isReply && !holds(view, source + peer.length, peer)) return null;
  const protocol = view.getUint8(ip + (isIpv6 ? 6 : 9));
  return { protocol, payload: ip + (isIpv6 ? IPV6_HEADER_BYTES : (view.getUint8(ip) & 0xf) * 4), isReply };
}

function readProbe(view: DataView, packet: Packet, numbering: Numbering): Probe | null {
  const { protocol, payload, isReply } = packet;
  switch (protocol) {
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6: {
      const types = ECHO_TYPES[protocol];
      if (view.getUint8(payload) !== (isReply ? types.reply : types.request)) return null;
      const sequence =
        numbering === 'icmp' ? view.getUint16(payload + 6) : view.getUint32(payload + ECHO_PROBE_SEQUENCE);
      return { isReply, sequence };
    }
    case PROTOCOL_UDP: {
      const data = payload + UDP_HEADER_BYTES;
      return numbering === 'irtt' ? readIrtt(view, data, isReply) : readStamp(view, data, isReply);
    }
    default:
      return null;
  }
}

function readIrtt(view: DataView, packet: number, isReply: boolean): Probe | null {
  if (view.getUint8(packet + IRTT_FLAGS) !== (isReply ? IRTT_REPLY : 0)) return null;
  return { isReply, sequence: view.getUint32(packet + IRTT_SEQUENCE, true) };
}

function readStamp(view: DataView, packet: number, isReply: boolean): Probe {
  return { isReply, sequence: view.getUint32(packet + (isReply ? STAMP_SENDER_SEQUENCE : STAMP_SEQUENCE)) };
}

function holds(view: DataView, offset: number, octets: Uint8Array): boolean {
  return octets.every((octet, at) => view.getUint8(offset + at) === octet);
}
