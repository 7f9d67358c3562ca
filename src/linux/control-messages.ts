/** Reads the ancillary data of a received message: stamps, TTL, drop counter, queued errors. */

import { IP_RECVERR, IP_TTL, IPPROTO_IP, LAYOUT, SO_RXQ_OVFL, SO_TIMESTAMPING_NEW, SOL_SOCKET } from './constants.ts';

/** What the control messages of one datagram said; filled again and again. */
export interface Ancillary {
  /** Software stamp of the kernel (CLOCK_REALTIME); `stamped` tells whether there was one. */
  stamped: boolean;
  seconds: number;
  nanoseconds: number;
  /** TTL of the received IP header, or -1. */
  ttl: number;
  /** Datagrams dropped so far because the socket was full (SO_RXQ_OVFL), or -1 when not said. */
  drops: number;
  /** sock_extended_err, for messages of the error queue; origin 0 when there was none. */
  errorOrigin: number;
  errorNumber: number;
  errorType: number;
  errorCode: number;
  errorData: number;
}

/** A blank record for `readAncillary` to fill. */
export function blankAncillary(): Ancillary {
  return {
    stamped: false,
    seconds: 0,
    nanoseconds: 0,
    ttl: -1,
    drops: -1,
    errorOrigin: 0,
    errorNumber: 0,
    errorType: 0,
    errorCode: 0,
    errorData: 0,
  };
}

/** Reads `length` octets of control messages at `offset` of the arena into `into`. */
export function readAncillary(view: DataView, offset: number, length: number, into: Ancillary): void {
  into.stamped = false;
  into.ttl = -1;
  into.drops = -1;
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
  if (level === SOL_SOCKET && type === SO_TIMESTAMPING_NEW) {
    into.seconds = view.getUint32(data, true);
    into.nanoseconds = view.getUint32(data + 8, true);
    into.stamped = into.seconds !== 0;
  } else if (level === IPPROTO_IP && type === IP_TTL) {
    into.ttl = view.getInt32(data, true);
  } else if (level === SOL_SOCKET && type === SO_RXQ_OVFL) {
    into.drops = view.getUint32(data, true);
  } else if (level === IPPROTO_IP && type === IP_RECVERR) {
    const { ee_errno, ee_origin, ee_type, ee_code, ee_data } = LAYOUT.sock_extended_err;
    into.errorNumber = view.getUint32(data + ee_errno, true);
    into.errorOrigin = view.getUint8(data + ee_origin);
    into.errorType = view.getUint8(data + ee_type);
    into.errorCode = view.getUint8(data + ee_code);
    into.errorData = view.getUint32(data + ee_data, true);
  }
}
