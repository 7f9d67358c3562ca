/** The Internet checksum against the examples of its RFCs, and against a plain implementation. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onesComplementSum, updatedChecksum } from '../../src/wire/ip-checksum.ts';
import { fromHex, viewOf } from './bytes.ts';
import { plainChecksum } from './plain-checksum.ts';

const sumOf = (hex: string, before?: number): number => {
  const view = viewOf(fromHex(hex));
  return onesComplementSum(view, 0, view.byteLength, before);
};

describe('the sum', () => {
  it('is that of the numerical example (RFC 1071 section 3)', () => {
    expect(sumOf('0001 f203 f4f5 f6f7')).toBe(0xddf2);
  });

  it('is all ones over a header with its checksum', () => {
    // A datagram from 192.168.0.1 to 192.168.0.199 with the checksum b861.
    expect(sumOf('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7')).toBe(0xffff);
  });

  it('takes an odd octet for a high one, and goes on from a sum before', () => {
    expect(sumOf('0001 f2')).toBe(0xf201);
    expect(sumOf('f4f5 f6f7', sumOf('0001 f203'))).toBe(0xddf2);
  });

  it('carries twice, and to the end of the largest packet', () => {
    expect(sumOf('ffff 0001 ffff')).toBe(1);
    expect(sumOf('ff'.repeat(65_535))).toBe(0xff00);
  });

  it('is that of a plain implementation for any octets anywhere', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(9), (octets, offset) => {
        const among = new Uint8Array(octets.length + 20).fill(0xa5);
        among.set(octets, offset);
        expect(~onesComplementSum(viewOf(among), offset, octets.length) & 0xffff).toBe(plainChecksum(octets));
      }),
    );
  });
});

describe('an updated checksum', () => {
  it('is that of the example where subtraction alone fails (RFC 1624 section 4)', () => {
    expect(updatedChecksum(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });

  it('is what summing everything again gives, also for several words at once', () => {
    const words = fc.uint8Array({ minLength: 8, maxLength: 8 });
    const others = fc.uint8Array({ minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(words, words, others, (before, after, rest) => {
        // Octets that are all zero have two checksums: 0 and ffff.
        fc.pre(rest.some((octet) => octet !== 0));
        const whole = plainChecksum(Uint8Array.from([...before, ...rest]));
        const [was, is] = [before, after].map((octets) => onesComplementSum(viewOf(octets), 0, 8));
        const updated = updatedChecksum(whole, was ?? 0, is ?? 0);
        expect(updated).toBe(plainChecksum(Uint8Array.from([...after, ...rest])));
      }),
    );
  });

  it('leaves a wrong checksum wrong', () => {
    expect(updatedChecksum(0xdd2e, 0x5555, 0x3285)).not.toBe(0x0000);
  });
});
