/** A router's errors against those of a Linux router, octet by octet, and what it must be silent about. */

import { describe, expect, it } from 'vitest';
import { ROUTER_ERROR_BYTES_MAX, writeTimeExceeded, writeTooBig } from '../../src/wire/icmp-router-error.ts';
import { blankIpPacket, parseIpPacket } from '../../src/wire/ip-packet.ts';
import { fromHex, toHex, viewOf } from './bytes.ts';
import { FAMILIES, type Family, type HeaderFields, icmpPacket, ipPacket, SOURCE, UDP, udpPacket } from './ip-octets.ts';
import { ROUTER_ERRORS } from './linux-packets.ts';
import { plainChecksum, plainTransportChecksum } from './plain-checksum.ts';

const ROUTER = { ipv4: 'c6120102', ipv6: '20010db8000100000000000000000003' } as const;

/** What the router at `router` writes, from the middle of one buffer into another; nothing around it is touched. */
function answer(octets: Uint8Array, router: Uint8Array, mtuBytes = 0): Uint8Array {
  const among = new Uint8Array(octets.length + 9);
  among.set(octets, 9);
  const packet = blankIpPacket();
  expect(parseIpPacket(viewOf(among), 9, octets.length, packet)).toBe('ok');
  const out = new Uint8Array(ROUTER_ERROR_BYTES_MAX + 10).fill(0xee);
  const bytes =
    mtuBytes === 0
      ? writeTimeExceeded(viewOf(out), 5, router, viewOf(among), packet)
      : writeTooBig(viewOf(out), 5, router, viewOf(among), packet, mtuBytes);
  expect(toHex(among.subarray(9))).toBe(toHex(octets));
  expect(toHex(out.subarray(0, 5))).toBe('ee'.repeat(5));
  expect(toHex(out.subarray(5 + bytes))).toBe('ee'.repeat(out.length - 5 - bytes));
  return out.slice(5, 5 + bytes);
}

/** Both errors about a packet, as octets; empty for silence. */
function answers(family: Family, octets: Uint8Array): string[] {
  const router = fromHex(ROUTER[family]);
  return [answer(octets, router), answer(octets, router, 1280)].map(toHex);
}

describe('an error', () => {
  it.each(ROUTER_ERRORS)('has the ICMP octets of a Linux router: $family, $name', (recorded) => {
    const { family, packet, router, mtuBytes, icmp } = recorded;
    expect(toHex(answer(packet, router, mtuBytes).subarray(family === 'ipv4' ? 20 : 40))).toBe(icmp);
  });

  it('over IPv4 goes from the router to the source, with TTL 64 and the precedence of network control', () => {
    const error = answer(udpPacket('ipv4', 40_000, 862, '00'.repeat(44)), fromHex(ROUTER.ipv4));
    expect(toHex(error.subarray(0, 10))).toBe('45c00064000040004001');
    expect(toHex(error.subarray(12, 20))).toBe(ROUTER.ipv4 + SOURCE.ipv4);
    expect(plainChecksum(error.subarray(0, 20))).toBe(0);
    expect(plainTransportChecksum(error)).toBe(0);
  });

  it('over IPv6 goes from the router to the source, with hop limit 64', () => {
    const error = answer(udpPacket('ipv6', 40_000, 862, '00'.repeat(44)), fromHex(ROUTER.ipv6));
    expect(toHex(error.subarray(0, 40))).toBe(`6000000000643a40${ROUTER.ipv6}${SOURCE.ipv6}`);
    expect(plainTransportChecksum(error)).toBe(0);
  });

  it.each(FAMILIES)('has right checksums for every length of packet, and ends at its limit, %s', (family) => {
    const router = fromHex(ROUTER[family]);
    const [headers, most] = family === 'ipv4' ? [20 + 8, 576] : [40 + 8, 1280];
    for (let data = 0; data <= 1400; data += 1) {
      const octets = udpPacket(family, 40_000, 862, 'c7'.repeat(data));
      const error = answer(octets, router, data % 2 === 0 ? 0 : 1280);
      expect(error).toHaveLength(Math.min(most, headers + octets.length));
      expect(plainTransportChecksum(error)).toBe(0);
      expect(family === 'ipv6' || plainChecksum(error.subarray(0, 20)) === 0).toBe(true);
    }
  });

  it('quotes the packet with one hop left, however many it began with, and its header checksum fits', () => {
    for (const [ttl, quoted] of [
      [7, 1],
      [1, 1],
      [0, 0],
    ] as const) {
      const error = answer(
        ipPacket('ipv4', UDP, '9c40035e00080000', { ttl, options: '94040000' }),
        fromHex(ROUTER.ipv4),
      );
      expect(error[28 + 8]).toBe(quoted);
      expect(plainChecksum(error.subarray(28, 28 + 24))).toBe(0);
      expect(answer(ipPacket('ipv6', UDP, '', { ttl }), fromHex(ROUTER.ipv6))[48 + 7]).toBe(quoted);
    }
  });

  it('quotes a packet that is too big with the hops that it has', () => {
    expect(answer(ipPacket('ipv4', UDP, '', { ttl: 33 }), fromHex(ROUTER.ipv4), 1400)[28 + 8]).toBe(33);
  });

  it('tells an MTU in 16 bits over IPv4 and in 32 over IPv6', () => {
    const mtuOf = (family: Family, at: number): string =>
      toHex(answer(ipPacket(family, UDP, ''), fromHex(ROUTER[family]), 0x12345).subarray(at, at + 4));
    expect(mtuOf('ipv4', 24)).toBe('0000ffff');
    expect(mtuOf('ipv6', 44)).toBe('00012345');
  });
});

describe('an error is written', () => {
  const udp = '9c40035e00080000';

  it.each<[string, Family, Uint8Array]>([
    ['an echo request', 'ipv4', icmpPacket('ipv4', 8, '7abc0001')],
    ['an echo reply', 'ipv4', icmpPacket('ipv4', 0, '7abc0001')],
    ['a first fragment', 'ipv4', ipPacket('ipv4', UDP, udp, { fragmentation: 0x2000 })],
    ['TCP', 'ipv4', ipPacket('ipv4', 6, '00'.repeat(20))],
    ['an echo request', 'ipv6', icmpPacket('ipv6', 128, '7abc0001')],
    ['a first fragment', 'ipv6', ipPacket('ipv6', UDP, udp, { next: 44, extensions: '1100000100000001' })],
    ['options', 'ipv6', ipPacket('ipv6', UDP, udp, { next: 60, extensions: '1100010400000000' })],
  ])('about %s, %s', (_, family, octets) => {
    for (const error of answers(family, octets)) expect(error).not.toBe('');
  });
});

describe('nothing is written', () => {
  const to = (family: Family, fields: HeaderFields): Uint8Array => ipPacket(family, UDP, '9c40035e00080000', fields);
  const firstFragmentOf = (protocol: string): HeaderFields => ({ next: 44, extensions: `${protocol}00000100000001` });

  it.each<[string, Family, Uint8Array]>([
    ...[3, 4, 5, 11, 12].map((type): [string, Family, Uint8Array] => [
      `an ICMP error, type ${type}`,
      'ipv4',
      icmpPacket('ipv4', type, '00000000'),
    ]),
    ['ICMP without a type', 'ipv4', ipPacket('ipv4', 1, '')],
    ['the first fragment of an ICMP error', 'ipv4', icmpPacket('ipv4', 3, '00000000', { fragmentation: 0x2000 })],
    ['a later fragment', 'ipv4', to('ipv4', { fragmentation: 0x2001 })],
    ['the last fragment', 'ipv4', to('ipv4', { fragmentation: 0x0001 })],
    ['multicast', 'ipv4', to('ipv4', { destination: 'e0000001' })],
    ['broadcast', 'ipv4', to('ipv4', { destination: 'ffffffff' })],
    ['a host that has no address yet', 'ipv4', to('ipv4', { source: '00000000' })],
    ['a loopback address', 'ipv4', to('ipv4', { source: '7f000001' })],
    ['a source that is a group', 'ipv4', to('ipv4', { source: 'e0000001' })],
    ...[1, 2, 3, 4, 127, 137].map((type): [string, Family, Uint8Array] => [
      `an ICMP error, type ${type}`,
      'ipv6',
      icmpPacket('ipv6', type, '00000000'),
    ]),
    ['ICMP without a type', 'ipv6', ipPacket('ipv6', 58, '')],
    ['the first fragment of an ICMP error', 'ipv6', ipPacket('ipv6', 58, '0300000000000000', firstFragmentOf('3a'))],
    ['a fragment of ICMP without a type', 'ipv6', ipPacket('ipv6', 58, '', firstFragmentOf('3a'))],
    ['a later fragment', 'ipv6', to('ipv6', { next: 44, extensions: '1100000900000001' })],
    ['half a fragment header', 'ipv6', ipPacket('ipv6', 44, '11000001')],
    ['multicast', 'ipv6', to('ipv6', { destination: 'ff020000000000000000000000000001' })],
    ['a host that has no address yet', 'ipv6', to('ipv6', { source: '00'.repeat(16) })],
    ['a source that is a group', 'ipv6', to('ipv6', { source: 'ff020000000000000000000000000001' })],
  ])('about %s, %s', (_, family, octets) => {
    expect(answers(family, octets)).toEqual(['', '']);
  });
});
