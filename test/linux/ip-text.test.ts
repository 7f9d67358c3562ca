/** Addresses from text and back, against Node's own idea of their canonical form. */

import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatIp, parseIp } from '../../src/linux/ip-text.ts';

describe('an address', () => {
  it.each([
    ['198.51.100.7', 'c6336407'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['2001:db8::7', '20010db8000000000000000000000007'],
    ['2001:DB8:0:1:0:0:0:2', '20010db8000000010000000000000002'],
    ['::ffff:192.0.2.1', '00000000000000000000ffffc0000201'],
    ['fe80::', 'fe800000000000000000000000000000'],
  ])('%s has the octets %s', (text, octets) => {
    expect(Buffer.from(parseIp(text)).toString('hex')).toBe(octets);
  });

  it.each(['', 'localhost', '198.51.100', '1.2.3.4.5', '::1%lo', '2001:db8::1::2', '12345::'])('is not %j', (text) => {
    expect(() => parseIp(text)).toThrow(/an IP address such as/);
  });

  it('written out is read back, and is the form that Node.js gives', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    const ipv6 = fc.array(group, { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(ipv6, (groups) => {
        // ::ffff:a.b.c.d and ::a.b.c.d have a dotted form that RFC 5952 leaves to taste.
        fc.pre(groups.slice(0, 5).some((value) => value !== 0));
        const octets = Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 255]));
        const text = formatIp(octets);
        expect(parseIp(text)).toEqual(octets);
        expect(text).toBe(new SocketAddress({ address: text, family: 'ipv6' }).address);
      }),
    );
  });

  it('is written from a buffer that holds more', () => {
    expect(formatIp(Uint8Array.of(192, 0, 2, 1, 9, 9), 4)).toBe('192.0.2.1');
  });
});
