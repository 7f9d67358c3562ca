/** Answers to echo requests, against packets that a Linux 6.1 router and host sent and tcpdump recorded. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswerIpv4, readAnswerIpv6 } from '../../src/wire/icmp-answer.ts';
import { fromHex, viewOf } from './bytes.ts';

function view(hex: string): DataView {
  return viewOf(fromHex(hex));
}

/** From 198.18.1.2: time exceeded, about the request 0x1234/2 to 198.18.3.2. */
const EXCEEDED_IPV4 = `
  45c0 0040 1a3b 0000 4001 d19a c612 0102 c612 0101 0b00 f4ff 0000 0000
  4500 0024 3527 4000 0101 b48a c612 0101 c612 0302 0800 e5cb 1234 0002 fffd 0000 0000 0000`;
const REPLY_IPV4 = '4500 0024 c82b 0000 3e01 2486 c612 0302 c612 0101 0000 edcb 1234 0008 fff7 0000 0000 0000';
/** What the kernel hands out begins behind the IPv6 header. */
const EXCEEDED_IPV6 = `
  0300 3637 0000 0000 6006 d109 0010 3a01 2001 0db8 0001 0000 0000 0000 0000 0001
  2001 0db8 0003 0000 0000 0000 0000 0002 8000 1208 1234 0002 fffd 0000 0000 0000`;
/** RFC 4443 section 4.2, with the same marks. */
const REPLY_IPV6 = '8100 1108 1234 0002 fffd 0000 0000 0000';

const MARKS = { identifier: 0x1234, sequence: 2 };

/** `hex` with the octet at `at` set to `value`. */
function changed(hex: string, at: number, value: number): DataView {
  const copy = view(hex);
  copy.setUint8(at, value);
  return copy;
}

describe('an answer over IPv4', () => {
  it('is a reply, or an error that quotes the request', () => {
    expect(readAnswerIpv4(view(REPLY_IPV4))).toEqual({ ...MARKS, type: 0, code: 0, isReply: true, sequence: 8 });
    expect(readAnswerIpv4(view(EXCEEDED_IPV4))).toEqual({ ...MARKS, type: 11, code: 0, isReply: false });
  });

  it('is found behind IP options, outside and in the quotation', () => {
    const inside = EXCEEDED_IPV4.replace('4500', '4600').replace('0302 0800', '0302 9404 0000 0800');
    const both = inside.replace('45c0', '46c0').replace('0101 0b00', '0101 9404 0000 0b00');
    expect(readAnswerIpv4(view(both))).toEqual({ ...MARKS, type: 11, code: 0, isReply: false });
  });

  it.each([
    ['a request', changed(REPLY_IPV4, 20, 8)],
    ['a redirect: its packet went on', changed(EXCEEDED_IPV4, 20, 5)],
    ['an error about UDP, whose length and checksum stand where the marks would', changed(EXCEEDED_IPV4, 37, 17)],
    ['an error about an echo reply', changed(EXCEEDED_IPV4, 48, 0)],
    ['another protocol', changed(REPLY_IPV4, 9, 17)],
    ['another IP version', changed(REPLY_IPV4, 0, 0x65)],
    ['an IP header that claims to be shorter than one', changed(REPLY_IPV4, 0, 0x44)],
    ['an IP header that claims to be longer than the packet', changed(REPLY_IPV4, 0, 0x4f)],
  ])('is not: %s', (_what, packet) => {
    expect(readAnswerIpv4(packet)).toBeNull();
  });
});

describe('an answer over IPv6', () => {
  it('is a reply, or an error that quotes the request', () => {
    expect(readAnswerIpv6(view(REPLY_IPV6))).toEqual({ ...MARKS, type: 129, code: 0, isReply: true });
    expect(readAnswerIpv6(view(EXCEEDED_IPV6))).toEqual({ ...MARKS, type: 3, code: 0, isReply: false });
  });

  it.each([
    ['a request', changed(REPLY_IPV6, 0, 128)],
    ['a neighbour advertisement', changed(REPLY_IPV6, 0, 136)],
    ['an error about UDP', changed(EXCEEDED_IPV6, 14, 17)],
    ['an error about an echo reply', changed(EXCEEDED_IPV6, 48, 129)],
    ['an error about another IP version', changed(EXCEEDED_IPV6, 8, 0x45)],
  ])('is not: %s', (_what, message) => {
    expect(readAnswerIpv6(message)).toBeNull();
  });
});

describe('any octets', () => {
  it('cut short anywhere before the marks are no answer', () => {
    for (const [read, hex, marks] of [
      [readAnswerIpv4, EXCEEDED_IPV4, 56],
      [readAnswerIpv6, EXCEEDED_IPV6, 56],
      [readAnswerIpv4, REPLY_IPV4, 28],
      [readAnswerIpv6, REPLY_IPV6, 8],
    ] as const) {
      const { buffer, byteOffset } = view(hex);
      for (let length = 0; length < marks; length += 1)
        expect(read(new DataView(buffer, byteOffset, length))).toBeNull();
      expect(read(new DataView(buffer, byteOffset, marks))).not.toBeNull();
    }
  });

  it('never make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (octets) => {
        const any = viewOf(octets);
        for (const read of [readAnswerIpv4, readAnswerIpv6]) expect(() => read(any)).not.toThrow();
      }),
    );
  });
});
