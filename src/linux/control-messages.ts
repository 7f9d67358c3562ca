/** Ancillary data: reads that of a received message (stamps, TTL, queued errors), writes that of one to be sent. */

import {
  IP_RECVERR,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_RECVERR,
  IPV6_TCLASS,
  LAYOUT,
  SO_EE_ORIGIN_TIMESTAMPING,
  SO_TIMESTAMPING_NEW,
  SOL_SOCKET,
} from './constants.ts';
import { blankEndpoint, type Endpoint, readSockaddr } from './sockaddr.ts';

/** What the control messages of one datagram said; filled again and again. */
export interface Ancillary {
  /** Software stamp of the kernel (CLOCK_REALTIME); `stamped` tells whether there was one. */
  stamped: boolean;
  seconds: number;
  nanoseconds: number;
  /** TTL or hop limit of the received IP header, or -1. */
  ttl: number;
  /** DSCP and ECN of the received IP header as the octet they stand in, or -1. */
  tos: number;
  /** sock_extended_err, for messages of the error queue; origin 0 when there was none. */
  errorOrigin: number;
  errorNumber: number;
  errorType: number;
  errorCode: number;
  errorData: number;
  /** Who sent the ICMP error; without an address when the kernel does not say. */
  readonly offender: Endpoint;
}

/** A blank record for `readAncillary` to fill. */
export function blankAncillary(): Ancillary {
  return {
    stamped: false,
    seconds: 0,
    nanoseconds: 0,
    ttl: -1,
    tos: -1,
    errorOrigin: 0,
    errorNumber: 0,
    errorType: 0,
    errorCode: 0,
    errorData: 0,
    offender: blankEndpoint(),
  };
}

/** Reads `length` octets of control messages at `offset` of the arena into `into`. */
export function readAncillary(view: DataView, offset: number, length: number, into: Ancillary): void {
  into.stamped = false;
  into.ttl = -1;
  into.tos = -1;
  into.errorOrigin = 0;
  const header = LAYOUT.cmsghdr.size;
  const end = offset + length;
  let at = offset;
  while (at + header <= end) {
    const size = view.getUint32(at, true);
    if (size < header || at + size > end) return;
    readOne(view, at + header, view.getInt32(at + 8, true), view.getInt32(at + 12, true), into);
    at += (size + 7) & ~7;
  }
}

function readOne(view: DataView, data: number, level: number, type: number, into: Ancillary): void {
  if (level === SOL_SOCKET) readSocketLevel(view, data, type, into);
  else if (level === IPPROTO_IP) readIpv4Level(view, data, type, into);
  else if (level === IPPROTO_IPV6) readIpv6Level(view, data, type, into);
}

function readSocketLevel(view: DataView, data: number, type: number, into: Ancillary): void {
  if (type !== SO_TIMESTAMPING_NEW) return;
  into.seconds = view.getUint32(data, true);
  into.nanoseconds = view.getUint32(data + 8, true);
  into.stamped = into.seconds !== 0;
}

function readIpv4Level(view: DataView, data: number, type: number, into: Ancillary): void {
  if (type === IP_TTL) into.ttl = view.getInt32(data, true);
  // The kernel gives TOS as one octet here, where IPv6 has an int.
  else if (type === IP_TOS) into.tos = view.getUint8(data);
  else if (type === IP_RECVERR) readQueuedError(view, data, into);
}

function readIpv6Level(view: DataView, data: number, type: number, into: Ancillary): void {
  if (type === IPV6_HOPLIMIT) into.ttl = view.getInt32(data, true);
  else if (type === IPV6_TCLASS) into.tos = view.getInt32(data, true);
  else if (type === IPV6_RECVERR) readQueuedError(view, data, into);
}

/** sock_extended_err, and behind it the address of who sent the error; nobody sent a TX stamp. */
function readQueuedError(view: DataView, data: number, into: Ancillary): void {
  const { size, ee_errno, ee_origin, ee_type, ee_code, ee_data } = LAYOUT.sock_extended_err;
  into.errorNumber = view.getUint32(data + ee_errno, true);
  into.errorOrigin = view.getUint8(data + ee_origin);
  into.errorType = view.getUint8(data + ee_type);
  into.errorCode = view.getUint8(data + ee_code);
  into.errorData = view.getUint32(data + ee_data, true);
  if (into.errorOrigin !== SO_EE_ORIGIN_TIMESTAMPING) readSockaddr(view, data + size, into.offender);
}

/** Writes one control message that holds an int; it takes CMSG_SPACE of an int. */
export function writeIntControl(view: DataView, at: number, level: number, type: number, value: number): void {
  const { size, cmsg_level, cmsg_type } = LAYOUT.cmsghdr;
  view.setUint32(at, size + 4, true);
  view.setUint32(at + 4, 0, true);
  view.setInt32(at + cmsg_level, level, true);
  view.setInt32(at + cmsg_type, type, true);
  view.setUint32(at + size, value, true);
}
