/** The flow hash: its octets against published vectors, and how it shares flows among members. */

import { describe, expect, test } from 'vitest';
import { flowHash, memberOf } from '../../src/lab/flow-hash.ts';
import { mix32 } from '../../src/lab/mix32.ts';

const UDP = 17;

/** 198.18.1.1 to 198.18.2.1 behind a header, as they stand in an IPv4 packet. */
const ADDRESSES = new DataView(Uint8Array.from([0xff, 0xff, 198, 18, 1, 1, 198, 18, 2, 1]).buffer);

function hashOf(sourcePort: number): number {
  return flowHash(ADDRESSES, 2, 8, UDP, sourcePort, 862);
}

/** Pearson's sum over members that should have the same number of flows each. */
function chiSquare(members: number, hashes: readonly number[]): number {
  const counts = Array.from({ length: members }, () => 0);
  for (const hash of hashes) counts[memberOf(hash, members)] = (counts[memberOf(hash, members)] ?? 0) + 1;
  const expected = hashes.length / members;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

describe('the flow hash', () => {
  test('is FNV-1a over addresses, protocol and ports in network order: here the octets spell "foobar"', () => {
    const view = new DataView(Uint8Array.from([0x66]).buffer);
    // FNV-1a of "foobar" is 0xbf9cf968 in the vectors of its authors.
    expect(flowHash(view, 0, 1, 0x6f, 0x6f62, 0x6172)).toBe(mix32(0xbf9cf968));
  });

  test('changes with any address, with the protocol, and when the ports change places', () => {
    const other = new DataView(Uint8Array.from([0xff, 0xff, 198, 18, 1, 1, 198, 18, 3, 1]).buffer);
    const hashes = [
      flowHash(ADDRESSES, 2, 8, UDP, 1000, 862),
      flowHash(other, 2, 8, UDP, 1000, 862),
      flowHash(ADDRESSES, 2, 8, 6, 1000, 862),
      flowHash(ADDRESSES, 2, 8, UDP, 862, 1000),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('the choice of a member', () => {
  test('is always one there is', () => {
    expect(memberOf(0, 16)).toBe(0);
    expect(memberOf(0xffff_ffff, 16)).toBe(15);
    expect(memberOf(0xffff_ffff, 1)).toBe(0);
    expect(memberOf(-1, 3)).toBe(2);
  });

  test.each([
    // Chi square with one degree of freedom less than members, exceeded once in a thousand.
    [2, 10.83],
    [3, 13.82],
    [4, 16.27],
    [16, 37.7],
  ])('shares consecutive ports among %i members as chance would', (members, bound) => {
    const hashes = Array.from({ length: 8192 }, (_, port) => hashOf(49_152 + port));
    expect(chiSquare(members, hashes)).toBeLessThan(bound);
    // Neither is one member after the other taken: runs of the same member are as long as chance makes them.
    const changes = hashes.filter(
      (hash, at) => at > 0 && memberOf(hash, members) !== memberOf(hashes[at - 1] ?? 0, members),
    );
    expect(Math.abs(changes.length / (hashes.length - 1) - (1 - 1 / members))).toBeLessThan(0.03);
  });
});
