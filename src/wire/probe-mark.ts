/**
 * Recognises probes on their way: whose request or reply an IP packet carries, told by the octets alone.
 *
 * A STAMP session is named by its SSID, the sender's UDP port and the family, an ICMP one by the session and path in its
 * payload. Packets come with their numbers unverified: nobody on the way has the keys.
 */

import { ECHO_MARKS, isEchoProbe } from './icmp-echo.ts';
import { ICMP_FAMILY } from './icmp-message.ts';
import { type IpPacket, IP_PROTOCOLS } from './ip-packet.ts';
import { AUTHENTICATED, type StampMode, UNAUTHENTICATED } from './stamp-mode.ts';
import { UDP_HEADER_BYTES, udpDataBytes } from './udp-datagram.ts';

export const PROBE_ROLE = { none: 0, request: 1, reply: 2 } as const;
export const PROBE_KIND = { icmp: 0, stamp: 1 } as const;

/** Which probe a packet carries. With role `none` nothing else in it means anything. */
export interface ProbeMark {
  role: (typeof PROBE_ROLE)[keyof typeof PROBE_ROLE];
  kind: (typeof PROBE_KIND)[keyof typeof PROBE_KIND];
  /** STAMP's authenticated mode, which has its fields elsewhere. */
  authenticated: boolean;
  /** 32 bits that name the path between two hosts: the same in a request and in its reply. */
  session: number;
  /** 32 bits: the Session-Sender's number, also in a reply. */
  sequence: number;
}

/** Spreads an ICMP path's 16 bits over 32, and any two paths differently: the number is odd. */
const PATH_FACTOR = 0x9e3779b1;
/** Tells families apart in a session's name. */
const IPV6_SALT = 0x85ebca6b;

/** A blank mark for the reader to fill again and again. */
export function blankProbeMark(): ProbeMark {
  return { role: PROBE_ROLE.none, kind: PROBE_KIND.icmp, authenticated: false, session: 0, sequence: 0 };
}

/**
 * Reads which probe a packet carries. A STAMP request goes to a port that `isStampPort` knows, a reply comes from one.
 * Fragments are no probes, and no octets make it throw.
 */
export function readProbeMark(
  view: DataView,
  packet: IpPacket,
  isStampPort: (port: number) => boolean,
  into: ProbeMark,
): void {
  into.role = PROBE_ROLE.none;
  if (packet.protocol === IP_PROTOCOLS.udp) readStampMark(view, packet, isStampPort, into);
  else readEchoMark(view, packet, into);
}

function readStampMark(
  view: DataView,
  packet: IpPacket,
  isStampPort: (port: number) => boolean,
  into: ProbeMark,
): void {
  const isRequest = isStampPort(packet.destinationPort);
  if (!isRequest && !isStampPort(packet.sourcePort)) return;
  const at = packet.payloadOffset + UDP_HEADER_BYTES;
  const bytes = udpDataBytes(view, packet);
  if (bytes < UNAUTHENTICATED.baseBytes) return;
  const mode = modeOf(view, at, bytes);
  const senderPort = isRequest ? packet.sourcePort : packet.destinationPort;
  into.role = isRequest ? PROBE_ROLE.request : PROBE_ROLE.reply;
  into.kind = PROBE_KIND.stamp;
  into.authenticated = mode.authenticated;
  into.session = named((view.getUint16(at + mode.ssidAt) << 16) | senderPort, packet);
  into.sequence = view.getUint32(isRequest ? at : at + mode.senderSequenceAt);
}

/**
 * The mode that senders and reflectors have agreed on, as far as it shows: where authenticated packets have twelve octets
 * that must be zero, unauthenticated ones have their Error Estimate, of which the Multiplier must not (RFC 4656 section
 * 4.1.2). Who answers packets must go by the configuration instead.
 */
function modeOf(view: DataView, at: number, bytes: number): StampMode {
  if (bytes < AUTHENTICATED.baseBytes) return UNAUTHENTICATED;
  const isZero = (view.getUint32(at + 4) | view.getUint32(at + 8) | view.getUint32(at + 12)) === 0;
  return isZero ? AUTHENTICATED : UNAUTHENTICATED;
}

function readEchoMark(view: DataView, packet: IpPacket, into: ProbeMark): void {
  const icmp = packet.family === 4 ? ICMP_FAMILY.ipv4 : ICMP_FAMILY.ipv6;
  const { protocol, payloadOffset: at, payloadBytes } = packet;
  if (protocol !== icmp.protocol || !isEchoProbe(view, at, payloadBytes)) return;
  const type = view.getUint8(at);
  if (type !== icmp.request && type !== icmp.reply) return;
  const path = view.getUint16(at + ECHO_MARKS.pathAt);
  into.role = type === icmp.request ? PROBE_ROLE.request : PROBE_ROLE.reply;
  into.kind = PROBE_KIND.icmp;
  into.authenticated = false;
  into.session = named(view.getUint32(at + ECHO_MARKS.sessionAt) ^ Math.imul(path, PATH_FACTOR), packet);
  into.sequence = view.getUint32(at + ECHO_MARKS.sequenceAt);
}

function named(bits: number, { family }: IpPacket): number {
  return (family === 4 ? bits : bits ^ IPV6_SALT) >>> 0;
}
