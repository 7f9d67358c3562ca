/** One bit turned: which ones may be hit, and that a receiver's checksum always tells. */

import { describe, expect, it } from 'vitest';
import { flipBit } from '../../src/wire/bit-error.ts';
import { blankIpPacket, parseIpPacket } from '../../src/wire/ip-packet.ts';
import { toHex, viewOf } from './bytes.ts';
import { FAMILIES, icmpPacket, ipPacket, UDP, udpPacket } from './ip-octets.ts';
import { plainTransportChecksum } from './plain-checksum.ts';

function flipped(octets: Uint8Array, random01: number): Uint8Array {
  const copy = Uint8Array.from(octets);
  const packet = blankIpPacket();
  expect(parseIpPacket(viewOf(copy), 0, copy.length, packet)).toBe('ok');
  flipBit(viewOf(copy), packet, random01);
  return copy;
}

/** The bits in which two packets differ, counted from the start. */
function differences(one: Uint8Array, other: Uint8Array): number[] {
  const bits: number[] = [];
  for (let bit = 0; bit < one.length * 8; bit += 1) {
    const mask = 1 << (bit & 7);
    if (((one[bit >> 3] ?? 0) & mask) !== ((other[bit >> 3] ?? 0) & mask)) bits.push(bit);
  }
  return bits;
}

describe.each(FAMILIES)('a bit error, %s', (family) => {
  const headerBytes = family === 'ipv4' ? 20 : 40;

  it.each([
    ['a datagram', udpPacket(family, 40_000, 862, '00ff55aa12')],
    ['an echo request', icmpPacket(family, family === 'ipv4' ? 8 : 128, '7abc0001506f5070cafe')],
  ])('hits each bit behind the first 8 octets of %s, one at a time, and the checksum tells', (_, octets) => {
    const first = (headerBytes + 8) * 8;
    const bits = octets.length * 8 - first;
    const hit = Array.from({ length: bits }, (_bit, index) => {
      const damaged = flipped(octets, (index + 0.5) / bits);
      expect(plainTransportChecksum(damaged)).not.toBe(0);
      return differences(octets, damaged);
    });
    expect(hit).toEqual(Array.from({ length: bits }, (_bit, index) => [first + index]));
  });

  it('stays inside for the smallest and the largest choice', () => {
    const octets = udpPacket(family, 40_000, 862, '00ff');
    expect(differences(octets, flipped(octets, 0))).toEqual([(headerBytes + 8) * 8]);
    expect(differences(octets, flipped(octets, 1 - 2 ** -53))).toEqual([octets.length * 8 - 1]);
    expect(differences(octets, flipped(octets, 1))).toEqual([octets.length * 8 - 1]);
  });

  it('hits the checksum of a datagram without data, and never makes it none', () => {
    const octets = udpPacket(family, 40_000, 862, '');
    for (const checksum of [viewOf(octets).getUint16(headerBytes + 6), 0, 1, 2, 0x0100, 0x8000, 0xffff]) {
      viewOf(octets).setUint16(headerBytes + 6, checksum);
      for (let index = 0; index < 16; index += 1) {
        const damaged = flipped(octets, (index + 0.5) / 16);
        const found = viewOf(damaged).getUint16(headerBytes + 6);
        expect(found).not.toBe(checksum);
        expect(found).not.toBe(0);
        expect(toHex(damaged.subarray(0, headerBytes + 6))).toBe(toHex(octets.subarray(0, headerBytes + 6)));
      }
    }
  });

  it('leaves alone what has no 8 octets', () => {
    for (const payload of ['', '9c40035e', '9c40035e000800']) {
      const octets = ipPacket(family, UDP, payload);
      expect(toHex(flipped(octets, 0.5))).toBe(toHex(octets));
    }
  });
});
