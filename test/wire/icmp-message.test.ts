/** Messages of raw ICMP sockets, written down octet by octet from the RFCs, and any octets at all. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortIcmp } from '../../src/wire/icmp-message.ts';

const IDENTIFIER = 0x7abc;
/** IPv4 headers without options: 192.0.2.9 to 192.0.2.1, and 192.0.2.1 to 198.51.100.7; TTL 61, TOS 0xb8. */
const OUTER = '45b80054000040003d010000c0000209c0000201';
const INNER = '450000540000400001010000c0000201c6336407';
const ECHO = '080070707abc0001506f5070';
const INNER_V6 = '60000000000c3a4020010db800000000000000000000000120010db8000000000000000000000007';
const ECHO_V6 = '800000007abc0001506f5070';

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('a message of a raw IPv4 socket', () => {
  it('is a reply where type and identifier are ours, with TTL and TOS of its header', () => {
    expect(sortIcmp(octets(`${OUTER}000070707abc0001`), 'ipv4', IDENTIFIER)).toMatchObject({
      kind: 'reply',
      offset: 20,
      ttl: 61,
      tos: 0xb8,
    });
  });

  it('is an error where it quotes a request of ours, with options in either header', () => {
    // Internet header length 6: one word of options (RFC 791 section 3.1).
    const outer = `46${OUTER.slice(2)}01010101`;
    const inner = `46${INNER.slice(2)}01010101`;
    expect(sortIcmp(octets(`${outer}0b00000000000000${inner}${ECHO}`), 'ipv4', IDENTIFIER)).toEqual({
      kind: 'error',
      type: 11,
      code: 0,
      offset: 24 + 8 + 24,
      destination: Uint8Array.of(198, 51, 100, 7),
      ttl: 61,
      tos: 0xb8,
    });
  });

  it.each([
    ['a reply to somebody else', `${OUTER}0000707012340001`],
    ['a request', `${OUTER}${ECHO}`],
    ['a redirect', `${OUTER}0501000000000000${INNER}${ECHO}`],
    ['an error about a UDP packet', `${OUTER}0303000000000000${INNER.replace('0101', '0111')}${ECHO}`],
    ["an error about somebody else's request", `${OUTER}0301000000000000${INNER}080070701234`],
    ['an error that quotes too little', `${OUTER}0301000000000000${INNER}08007070`],
    ['nothing', ''],
  ])('is none of ours: %s', (_, hex) => {
    expect(sortIcmp(octets(hex), 'ipv4', IDENTIFIER).kind).toBe('other');
  });
});

describe('a message of a raw IPv6 socket', () => {
  it('begins with the ICMPv6 header', () => {
    expect(sortIcmp(octets('810000007abc0001'), 'ipv6', IDENTIFIER)).toMatchObject({
      kind: 'reply',
      offset: 0,
      ttl: -1,
      tos: -1,
    });
    const message = sortIcmp(octets(`0103000000000000${INNER_V6}${ECHO_V6}`), 'ipv6', IDENTIFIER);
    expect(message).toMatchObject({ kind: 'error', type: 1, code: 3, offset: 48 });
    expect(Buffer.from(message.destination).toString('hex')).toBe('20010db8000000000000000000000007');
  });
});

describe('any octets', () => {
  it('get an answer that lies within them', () => {
    const family = fc.constantFrom('ipv4' as const, 'ipv6' as const);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), family, fc.nat(0xffff), (message, of, identifier) => {
        const sorted = sortIcmp(message, of, identifier);
        const destinationBytes = of === 'ipv4' ? 4 : 16;
        expect(sorted.kind === 'other' || sorted.offset + 8 <= message.length).toBe(true);
        expect(sorted.destination).toHaveLength(sorted.kind === 'error' ? destinationBytes : 0);
      }),
    );
  });
});
