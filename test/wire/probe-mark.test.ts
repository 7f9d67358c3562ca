/** Probes recognised on their way: requests as they were sent, replies by hand from the RFCs, and all that is none. */

import { describe, expect, it } from 'vitest';
import { blankIpPacket, parseIpPacket } from '../../src/wire/ip-packet.ts';
import { blankProbeMark, PROBE_KIND, PROBE_ROLE, type ProbeMark, readProbeMark } from '../../src/wire/probe-mark.ts';
import { viewOf } from './bytes.ts';
import {
  FAMILIES,
  type Family,
  type HeaderFields,
  ICMP_PROTOCOL,
  icmpPacket,
  ipPacket,
  UDP,
  udpPacket,
} from './ip-octets.ts';
import { linuxRequest } from './linux-packets.ts';

const STAMP_PORT = 862;
const SENDER_PORT = 40_000;

/** Unauthenticated: RFC 8762 figures 2 and 5. The reply has sequence 7 of its own and 0x01020304 of the sender. */
const request = (ssid = '1234'): string => `01020304e8fe6f80800000008f84${ssid}${'00'.repeat(28)}`;
const REPLY = `00000007e8fe6f801f9add3799801234e8fe6f8080000000 01020304e8fe6f80800000008f840000fe000000`;
/** Authenticated: figures 3 and 6; an HMAC that nobody checks. */
const AUTH_REQUEST = `01020304${'00'.repeat(12)}e8fe6f80800000008f841234${'00'.repeat(68)}${'5a'.repeat(16)}`;
const AUTH_REPLY = `00000007${'00'.repeat(12)}e8fe6f801f9add379980123400000000e8fe6f80800000000000000000000000
  01020304${'00'.repeat(12)}e8fe6f80800000008f84000000000000fe${'00'.repeat(15)}${'5a'.repeat(16)}`;
/** Behind the type: identifier 0x7001, sequence 0x00010203, session cafef00d, path 513, T1 and no fill. */
const echo = (session = 'cafef00d', path = '0201'): string =>
  `70010203506f5070${session}${path}abcd000102036553f100075bcd15`;
const ECHO_TYPES = { ipv4: { request: 8, reply: 0 }, ipv6: { request: 128, reply: 129 } } as const;

function markOf(octets: Uint8Array, isStampPort = (port: number) => port === STAMP_PORT): ProbeMark {
  const packet = blankIpPacket();
  expect(parseIpPacket(viewOf(octets), 0, octets.length, packet)).toBe('ok');
  // What another packet left.
  const mark: ProbeMark = { role: 2, kind: 1, authenticated: true, session: 9, sequence: 9 };
  readProbeMark(viewOf(octets), packet, isStampPort, mark);
  return mark;
}

const sent = (family: Family, data: string, port = SENDER_PORT): ProbeMark =>
  markOf(udpPacket(family, port, STAMP_PORT, data));
const answered = (family: Family, data: string, port = SENDER_PORT): ProbeMark =>
  markOf(udpPacket(family, STAMP_PORT, port, data));

describe.each(FAMILIES)('a STAMP probe, %s', (family) => {
  it('is a request as Linux sent it', () => {
    expect(markOf(linuxRequest(family))).toMatchObject({
      role: PROBE_ROLE.request,
      kind: PROBE_KIND.stamp,
      authenticated: false,
      sequence: 1,
    });
  });

  it('has the same session and the sender’s sequence number in its reply', () => {
    const mark = sent(family, request());
    expect(mark).toMatchObject({ role: PROBE_ROLE.request, sequence: 0x01020304, authenticated: false });
    expect(answered(family, REPLY)).toEqual({ ...mark, role: PROBE_ROLE.reply });
  });

  it('has them elsewhere where it is authenticated', () => {
    const mark = sent(family, AUTH_REQUEST);
    expect(mark).toMatchObject({ role: PROBE_ROLE.request, sequence: 0x01020304, authenticated: true });
    expect(answered(family, AUTH_REPLY)).toEqual({ ...mark, role: PROBE_ROLE.reply });
  });

  it('is not authenticated for being long, nor for a clock that stands at 0', () => {
    const long = `${request().replace('e8fe6f8080000000', '0000000000000000')}01${'00'.repeat(80)}`;
    expect(sent(family, long)).toMatchObject({ authenticated: false, session: sent(family, request()).session });
  });

  it.each([
    ['between other ports', udpPacket(family, 40_000, 863, request())],
    ['shorter than its base packet', udpPacket(family, SENDER_PORT, STAMP_PORT, request().slice(0, -2))],
    ['with a UDP length beyond the packet', ipPacket(family, UDP, `9c40035e00350000${request()}`)],
    ['with a UDP length within the header', ipPacket(family, UDP, `9c40035e00070000${request()}`)],
    ['whose data the UDP length cuts off', ipPacket(family, UDP, `9c40035e00330000${request()}`)],
    ['over TCP', ipPacket(family, 6, `9c40035e00340000${request()}`)],
    ['in a fragment', fragment(family, `9c40035e00340000${request()}`)],
  ])('is none: %s', (_, octets) => {
    expect(markOf(octets).role).toBe(PROBE_ROLE.none);
  });
});

function fragment(family: Family, payload: string): Uint8Array {
  const fields: HeaderFields =
    family === 'ipv4' ? { fragmentation: 0x2000 } : { next: 44, extensions: '1100000100000001' };
  return ipPacket(family, UDP, payload, fields);
}

describe('STAMP sessions', () => {
  it('have names of their own by SSID, port and family', () => {
    const names = FAMILIES.flatMap((family) =>
      Array.from({ length: 32 }, (_, ssid) =>
        [SENDER_PORT, SENDER_PORT + 1, 862, 65_535].map(
          (port) => sent(family, request((0x9e20 + ssid).toString(16)), port).session,
        ),
      ).flat(),
    );
    expect(new Set(names).size).toBe(2 * 32 * 4);
    for (const name of names) expect(name).toBe(name >>> 0);
  });

  it('are asked from a STAMP port too', () => {
    expect(markOf(udpPacket('ipv4', 862, 862, request())).role).toBe(PROBE_ROLE.request);
  });
});

describe.each(FAMILIES)('an echo probe, %s', (family) => {
  const { request: asks, reply } = ECHO_TYPES[family];

  it('has the same session and sequence in its reply', () => {
    const mark = markOf(icmpPacket(family, asks, echo()));
    expect(mark).toMatchObject({ role: PROBE_ROLE.request, kind: PROBE_KIND.icmp, sequence: 0x00010203 });
    expect(markOf(icmpPacket(family, reply, echo()))).toEqual({ ...mark, role: PROBE_ROLE.reply });
  });

  it('has a session of its own by path and run', () => {
    const names = [echo(), echo('cafef00e'), echo('cafef00d', '0202'), echo('cafef00d', '0000'), echo('00000000')].map(
      (payload) => markOf(icmpPacket(family, asks, payload)).session,
    );
    const paths = Array.from({ length: 4096 }, (_, path) => path.toString(16).padStart(4, '0')).map(
      (path) => markOf(icmpPacket(family, asks, echo('12345678', path))).session,
    );
    expect(new Set(names).size).toBe(5);
    expect(new Set(paths).size).toBe(4096);
  });

  it.each([
    ['somebody else’s ping', icmpPacket(family, asks, `70010203${'00'.repeat(24)}`)],
    ['one that is cut off', icmpPacket(family, asks, echo().slice(0, -2))],
    ['an error', icmpPacket(family, 3, echo())],
    ['the other family’s request', icmpPacket(family, family === 'ipv4' ? 128 : 8, echo())],
    ['the other family’s protocol', ipPacket(family, family === 'ipv4' ? 58 : 1, `08000000${echo()}`)],
    ['a packet without payload', ipPacket(family, ICMP_PROTOCOL[family], '')],
  ])('is none: %s', (_, octets) => {
    expect(markOf(octets).role).toBe(PROBE_ROLE.none);
  });
});

describe('a blank mark', () => {
  it('is no probe', () => {
    expect(blankProbeMark().role).toBe(PROBE_ROLE.none);
  });
});
