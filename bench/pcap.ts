/** Reads what tcpdump wrote: nanosecond pcap of Ethernet frames with IPv4, down to the number of each probe. */

import { readFileSync } from 'node:fs';
import { parseIp } from '../src/linux/ip-text.ts';

/** A probe or its reply as it was seen on the wire. */
export interface Seen {
  isReply: boolean;
  /** The ICMP echo sequence number, or our own 32-bit number inside our ICMP payload or STAMP packet. */
  sequence: number;
  seconds: number;
  nanoseconds: number;
}

const MAGIC_NS = 0xa1b23c4d;
const LINKTYPE_ETHERNET = 1;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const ETHERNET_BYTES = 14;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_ICMP = 1;
const PROTOCOL_UDP = 17;
const UDP_HEADER_BYTES = 8;
const ICMP_ECHO_REPLY = 0;
const ICMP_ECHO_REQUEST = 8;
/** Where the probe's own 32-bit number is: in our ICMP payload, in a STAMP request, in a STAMP reply. */
const ECHO_PROBE_SEQUENCE = 20;
const STAMP_SEQUENCE = 0;
const STAMP_SENDER_SEQUENCE = 24;

/** Whose probes are meant: the address they go to, and which number tells them apart (fping has the 16 bits of ICMP). */
export interface Probed {
  address: string;
  numbering: 'icmp' | 'popprobe';
}

/** All its probes and replies in the file, in order of capture. Throws when the file is not a nanosecond pcap. */
export function readCapture(file: string, probed: Probed): Seen[] {
  const peer = new DataView(parseIp(probed.address).buffer).getUint32(0);
  const octets = readFileSync(file);
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const isLittle = view.getUint32(0, true) === MAGIC_NS;
  if (!isLittle && view.getUint32(0) !== MAGIC_NS) throw new Error(`${file} is not a pcap with nanoseconds`);
  if (view.getUint32(20, isLittle) !== LINKTYPE_ETHERNET) throw new Error(`${file} does not hold Ethernet frames`);
  const seen: Seen[] = [];
  for (let at = FILE_HEADER_BYTES; at + RECORD_HEADER_BYTES <= view.byteLength; ) {
    const captured = view.getUint32(at + 8, isLittle);
    const frame = at + RECORD_HEADER_BYTES;
    const probe = readFrame(view, frame, peer, probed.numbering);
    const [seconds, nanoseconds] = [view.getUint32(at, isLittle), view.getUint32(at + 4, isLittle)];
    if (probe) seen.push({ ...probe, seconds, nanoseconds });
    at = frame + captured;
  }
  return seen;
}

type Probe = Pick<Seen, 'isReply' | 'sequence'>;

function readFrame(view: DataView, frame: number, peer: number, numbering: Probed['numbering']): Probe | null {
  if (view.getUint16(frame + 12) !== ETHERTYPE_IPV4) return null;
  const ip = frame + ETHERNET_BYTES;
  const isReply = view.getUint32(ip + 12) === peer;
  if (!isReply && view.getUint32(ip + 16) !== peer) return null;
  const payload = ip + (view.getUint8(ip) & 0xf) * 4;
  switch (view.getUint8(ip + 9)) {
    case PROTOCOL_ICMP:
      return readEcho(view, payload, isReply, numbering);
    case PROTOCOL_UDP:
      return readStamp(view, payload, isReply);
    default:
      return null;
  }
}

function readEcho(view: DataView, icmp: number, isReply: boolean, numbering: Probed['numbering']): Probe | null {
  if (view.getUint8(icmp) !== (isReply ? ICMP_ECHO_REPLY : ICMP_ECHO_REQUEST)) return null;
  const sequence = numbering === 'icmp' ? view.getUint16(icmp + 6) : view.getUint32(icmp + ECHO_PROBE_SEQUENCE);
  return { isReply, sequence };
}

function readStamp(view: DataView, udp: number, isReply: boolean): Probe {
  const stamp = udp + UDP_HEADER_BYTES;
  return { isReply, sequence: view.getUint32(stamp + (isReply ? STAMP_SENDER_SEQUENCE : STAMP_SEQUENCE)) };
}
