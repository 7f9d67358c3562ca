/** When a packet on its way was sent, by itself: octets by hand from the RFCs. */

import { describe, expect, it } from 'vitest';
import { blankIpPacket, parseIpPacket } from '../../src/wire/ip-packet.ts';
import { blankProbeMark, PROBE_ROLE, readProbeMark } from '../../src/wire/probe-mark.ts';
import { probeStampNs } from '../../src/wire/probe-stamp.ts';
import { viewOf } from './bytes.ts';
import { FAMILIES, type Family, icmpPacket, udpPacket } from './ip-octets.ts';
import { linuxRequest } from './linux-packets.ts';

const STAMP_PORT = 862;
/** NTP time e8fe6f80.80000000 is 2023-11-14T22:13:20.5Z. */
const NTP = 'e8fe6f8080000000';
const UNIX_NS = 1_700_000_000.5e9;

function stampNs(octets: Uint8Array): number {
  const packet = blankIpPacket();
  expect(parseIpPacket(viewOf(octets), 0, octets.length, packet)).toBe('ok');
  const mark = blankProbeMark();
  readProbeMark(viewOf(octets), packet, (port) => port === STAMP_PORT, mark);
  expect(mark.role).not.toBe(PROBE_ROLE.none);
  return probeStampNs(viewOf(octets), packet, mark);
}

const reply = (family: Family, data: string): number => stampNs(udpPacket(family, STAMP_PORT, 40_000, data));

describe.each(FAMILIES)('a packet of %s', (family) => {
  it('is sent at T1 when it is a STAMP request, in either mode', () => {
    expect(stampNs(linuxRequest(family))).toBe(UNIX_NS);
    const authenticated = `01020304${'00'.repeat(12)}${NTP}8f841234${'00'.repeat(84)}`;
    expect(stampNs(udpPacket(family, 40_000, STAMP_PORT, authenticated))).toBe(UNIX_NS);
  });

  it('is sent at T3 when it is a reply', () => {
    const base = (errorEstimate: string): string => `00000007${NTP}${errorEstimate}1234${'00'.repeat(28)}`;
    expect(reply(family, base('8f84'))).toBe(UNIX_NS);
    // With the Z bit it is TAI (RFC 8186 section 2.3).
    expect(reply(family, base('cf84'))).toBeNaN();
  });

  it('is sent at T1 when it is an echo request; of the reply nobody knows', () => {
    const types = { ipv4: [8, 0], ipv6: [128, 129] }[family];
    const echo = (bytes: string): string => `70010203506f5070cafef00d0201abcd00010203${bytes}`;
    const t1 = '6553f1001dcd6500';
    const [request, answer] = types.map((type) => stampNs(icmpPacket(family, type, echo(t1))));
    expect([request, answer]).toEqual([UNIX_NS, Number.NaN]);
  });
});
