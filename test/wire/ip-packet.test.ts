/** Headers of IP packets as Linux wrote them and as the RFCs allow them, read and their hops counted down. */

import { describe, expect, it } from 'vitest';
import {
  blankIpPacket,
  type IpPacket,
  type IpParsing,
  parseIpPacket,
  PROTOCOL_FRAGMENT,
  takeHops,
} from '../../src/wire/ip-packet.ts';
import { toHex, viewOf } from './bytes.ts';
import {
  DESTINATION,
  FAMILIES,
  type HeaderFields,
  ICMP_PROTOCOL,
  ipPacket,
  SOURCE,
  UDP,
  udpPacket,
} from './ip-octets.ts';
import { linuxRequest } from './linux-packets.ts';
import { plainChecksum } from './plain-checksum.ts';

/** Not at the start of a buffer, with octets of others around it. */
function parse(octets: Uint8Array, length = octets.length): [IpParsing, IpPacket] {
  const among = new Uint8Array(octets.length + 24).fill(0x45);
  among.set(octets, 12);
  const packet = blankIpPacket();
  return [parseIpPacket(viewOf(among), 12, length, packet), packet];
}

function parsed(octets: Uint8Array): IpPacket {
  const [parsing, packet] = parse(octets);
  expect(parsing).toBe('ok');
  return packet;
}

const withUdp = (fields: HeaderFields): IpPacket => parsed(ipPacket('ipv6', UDP, '9c40035e00080000', fields));

describe('an IPv4 packet', () => {
  it('is read as Linux wrote it', () => {
    expect(parsed(linuxRequest('ipv4'))).toEqual({
      family: 4,
      offset: 12,
      headerBytes: 20,
      totalBytes: 72,
      protocol: 17,
      ttl: 64,
      dontFragment: true,
      sourceOffset: 24,
      destinationOffset: 28,
      addressBytes: 4,
      payloadOffset: 32,
      payloadBytes: 52,
      sourcePort: 40_000,
      destinationPort: 862,
    });
  });

  it('has its payload behind the options', () => {
    const packet = parsed(ipPacket('ipv4', UDP, '9c40035e00080000', { options: '94040000', fragmentation: 0 }));
    expect(packet).toMatchObject({ headerBytes: 24, payloadOffset: 36, payloadBytes: 8, destinationPort: 862 });
    expect(packet.dontFragment).toBe(false);
  });

  it.each([
    ['the first fragment', 0x2000],
    ['a later one', 0x2001],
    ['the last one', 0x00b9],
  ])('has neither protocol nor ports as %s', (_, fragmentation) => {
    expect(parsed(ipPacket('ipv4', UDP, '9c40035e00080000', { fragmentation }))).toMatchObject({
      protocol: PROTOCOL_FRAGMENT,
      sourcePort: 0,
      destinationPort: 0,
      payloadBytes: 8,
    });
  });

  it('is refused with any bit of its header turned, and for no bit behind it', () => {
    const octets = ipPacket('ipv4', UDP, '9c40035e0008000000', { options: '94040000' });
    for (let bit = 0; bit < octets.length * 8; bit += 1) {
      const damaged = Uint8Array.from(octets);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const isHeader = bit < 24 * 8;
      expect(parse(damaged)[0] === 'ok', `bit ${bit}`).toBe(!isHeader);
    }
  });

  it('is refused where a length cannot be, though the checksum is right', () => {
    const withHeader = (at: number, value: number): Uint8Array => {
      const octets = linuxRequest('ipv4');
      const view = viewOf(octets);
      view.setUint8(at, value);
      view.setUint16(10, 0);
      view.setUint16(10, plainChecksum(octets.subarray(0, 20)));
      return octets;
    };
    expect(parse(withHeader(0, 0x44))[0]).toBe('bad_header');
    expect(parse(withHeader(3, 19))[0]).toBe('bad_header');
    expect(parse(withHeader(0, 0x4f))[0]).toBe('bad_header');
    expect(parse(withHeader(3, 73))[0]).toBe('short');
    expect(parse(withHeader(3, 20))[0]).toBe('ok');
  });
});

describe('an IPv6 packet', () => {
  it('is read as Linux wrote it', () => {
    expect(parsed(linuxRequest('ipv6'))).toEqual({
      family: 6,
      offset: 12,
      headerBytes: 40,
      totalBytes: 92,
      protocol: 17,
      ttl: 64,
      dontFragment: true,
      sourceOffset: 20,
      destinationOffset: 36,
      addressBytes: 16,
      payloadOffset: 52,
      payloadBytes: 52,
      sourcePort: 40_000,
      destinationPort: 862,
    });
  });

  it('has its payload behind hop-by-hop, destination options and routing headers', () => {
    // Hop-by-hop with a router alert, destination options of 16 octets, an empty routing header, then UDP.
    const extensions = `3c00050200000100 2b01010c${'00'.repeat(12)} 1100000000000000`;
    expect(withUdp({ next: 0, extensions })).toMatchObject({
      protocol: 17,
      headerBytes: 72,
      payloadBytes: 8,
      sourcePort: 40_000,
      destinationPort: 862,
    });
  });

  it('has neither protocol nor ports as a fragment', () => {
    // More fragments, offset 0.
    expect(withUdp({ next: 44, extensions: '1100000100000001' })).toMatchObject({
      protocol: PROTOCOL_FRAGMENT,
      headerBytes: 40,
      payloadBytes: 16,
      sourcePort: 0,
    });
  });

  it('is not looked into behind a header that is not skipped', () => {
    // An authentication header (51).
    expect(withUdp({ next: 51, extensions: `1104${'00'.repeat(22)}` })).toMatchObject({ protocol: 51, sourcePort: 0 });
    expect(parsed(ipPacket('ipv6', 59, ''))).toMatchObject({ protocol: 59, payloadBytes: 0 });
  });

  it.each([
    ['begins behind the end', ''],
    ['is cut off', '11000000'],
    ['says that it ends behind the end', '1101000000000000'],
    ['leads to another behind the end', '3c00000000000000'],
  ])('is refused where an extension header %s', (_, extensions) => {
    expect(parse(ipPacket('ipv6', UDP, '', { next: 0, extensions }))[0]).toBe('bad_header');
  });
});

describe('any packet', () => {
  it('is short wherever it is cut off, and no longer than it says where more was read', () => {
    for (const octets of [linuxRequest('ipv4'), linuxRequest('ipv6')]) {
      for (let length = 0; length < octets.length; length += 1) expect(parse(octets, length)[0]).toBe('short');
      const [parsing, packet] = parse(octets, octets.length + 6);
      expect([parsing, packet.totalBytes]).toEqual(['ok', octets.length]);
    }
  });

  it.each([0x05, 0x55, 0x70, 0xf0])('is none with the first octet %i', (first) => {
    expect(parse(Uint8Array.of(first, ...new Uint8Array(60)))[0]).toBe('not_ip');
  });

  it.each(FAMILIES)('tells flows apart by TCP ports and the identifier of an echo, %s', (family) => {
    const ports = (protocol: number, payload: string): number[] => {
      const { sourcePort, destinationPort } = parsed(ipPacket(family, protocol, payload));
      return [sourcePort, destinationPort];
    };
    const icmp = ICMP_PROTOCOL[family];
    const [request, reply] = family === 'ipv4' ? ['08', '00'] : ['80', '81'];
    expect(ports(6, `c35000b3${'00'.repeat(16)}`)).toEqual([50_000, 179]);
    expect(ports(icmp, `${request}0012347abc0001`)).toEqual([0x7abc, 0x7abc]);
    expect(ports(icmp, `${reply}0012347abc0001`)).toEqual([0x7abc, 0x7abc]);
    // An error, an echo that is too short, the other family's ICMP, UDP that is too short.
    expect(ports(icmp, '030012347abc0001')).toEqual([0, 0]);
    expect(ports(icmp, `${request}0012347abc00`)).toEqual([0, 0]);
    expect(ports(family === 'ipv4' ? 58 : 1, `${request}0012347abc0001`)).toEqual([0, 0]);
    expect(ports(UDP, '9c4003')).toEqual([0, 0]);
  });

  it('leaves nothing of the packet before it', () => {
    const octets = ipPacket('ipv4', 89, 'ff'.repeat(20), { fragmentation: 0, ttl: 1 });
    const [fresh, used] = [blankIpPacket(), blankIpPacket()];
    parseIpPacket(viewOf(linuxRequest('ipv6')), 0, 92, used);
    for (const into of [fresh, used]) parseIpPacket(viewOf(octets), 0, octets.length, into);
    expect(used).toEqual(fresh);
  });
});

describe('hops', () => {
  it.each(FAMILIES)('are taken from the packet and its checksum follows, for every number of them, %s', (family) => {
    for (let ttl = 2; ttl <= 255; ttl += 1) {
      const hops = 1 + ((ttl * 7) % (ttl - 1));
      const octets = ipPacket(family, UDP, '9c40035e00080000', { ttl });
      const packet = blankIpPacket();
      parseIpPacket(viewOf(octets), 0, octets.length, packet);
      takeHops(viewOf(octets), packet, hops);
      expect(packet.ttl).toBe(ttl - hops);
      expect(toHex(octets)).toBe(toHex(ipPacket(family, UDP, '9c40035e00080000', { ttl: ttl - hops })));
    }
  });

  it('are taken from what lies in the middle of a buffer, and from nothing else', () => {
    const octets = udpPacket('ipv6', 1, 2, 'abcd');
    const among = new Uint8Array(octets.length + 7).fill(0xee);
    among.set(octets, 7);
    const packet = blankIpPacket();
    parseIpPacket(viewOf(among), 7, octets.length, packet);
    takeHops(viewOf(among), packet, 5);
    octets[7] = 59;
    expect(toHex(among)).toBe('ee'.repeat(7) + toHex(octets));
    expect(toHex(octets)).toContain(SOURCE.ipv6 + DESTINATION.ipv6);
  });
});
