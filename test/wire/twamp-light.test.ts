/** TWAMP Light peers, both ways, and what ICMP errors quote: packets by hand from RFC 4656 and RFC 5357, cut anywhere. */

import { describe, expect, it } from 'vitest';
import { blankReflectorPacket, blankSenderPacket, encodeReflectorPacket } from '../../src/wire/stamp.ts';
import { AUTHENTICATED, readSsid, replyBytes, UNAUTHENTICATED } from '../../src/wire/stamp-mode.ts';
import { blankStampQuote, decodeStampQuote } from '../../src/wire/stamp-quote.ts';
import { decodeTwampLightReply, decodeTwampLightRequest } from '../../src/wire/twamp-light.ts';
import { fromHex, toHex, viewOf } from './bytes.ts';

const T1 = { seconds: 1_700_000_000, nanoseconds: 500_000_000 };
const REQUEST = '00000005 e8fe6f8080000000 8f84';
const REPLY = '00000007 e8fe6f801f9add37 9980 0000 e8fe6f8080000000 00000005 e8fe6f8080000000 8f84 0000 fe';

describe('a TWAMP Light request', () => {
  it.each([14, 15, 16, 43, 60])('of %i octets is read, and its padding is not taken for an SSID', (length) => {
    const octets = fromHex(REQUEST + 'ab'.repeat(length - 14));
    const into = { ...blankSenderPacket(), ssid: 0x1234 };
    expect(decodeTwampLightRequest(viewOf(octets), 0, length, into)).toBe('ok');
    expect(into).toEqual({ sequence: 5, t1: T1, errorEstimate: 0x8f84, ssid: 0 });
  });

  it('of 13 octets is refused', () => {
    expect(decodeTwampLightRequest(viewOf(fromHex(REQUEST)), 0, 13, blankSenderPacket())).toBe('short');
  });

  it('of 14 octets is answered by a base packet as if it had been extended with zeros, reading none of its neighbours', () => {
    const octets = new Uint8Array(44).fill(0xff);
    const own = { sequence: 7, t3: { ...T1, nanoseconds: 123_456_789 }, t2: T1, errorEstimate: 0x9980, senderTtl: 254 };
    encodeReflectorPacket(viewOf(octets), 0, viewOf(fromHex(REQUEST)), 0, own, 0);
    expect(toHex(octets)).toBe(`${REPLY}000000`.replaceAll(' ', ''));
    expect(replyBytes(14, UNAUTHENTICATED)).toBe(44);
    expect(replyBytes(60, UNAUTHENTICATED)).toBe(60);
  });
});

describe('a TWAMP Light reply', () => {
  it.each([41, 42, 43, 44, 60])('of %i octets is read, whatever its padding holds', (length) => {
    const octets = fromHex(REPLY + '5a'.repeat(length - 41));
    const into = blankReflectorPacket();
    expect(decodeTwampLightReply(viewOf(octets), 0, length, into)).toBe('ok');
    expect(into).toEqual({
      sequence: 7,
      t3: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
      errorEstimate: 0x9980,
      ssid: 0,
      t2: T1,
      senderSequence: 5,
      senderT1: T1,
      senderErrorEstimate: 0x8f84,
      senderTtl: 254,
    });
  });

  it('of 40 octets is refused', () => {
    expect(decodeTwampLightReply(viewOf(fromHex(REPLY)), 0, 40, blankReflectorPacket())).toBe('short');
  });
});

describe('a packet of ours quoted in an ICMP error', () => {
  const UNAUTH = fromHex(`${REQUEST} 1234 ${'00'.repeat(28)}`);
  const AUTH = fromHex(`00000005 ${'00'.repeat(12)} e8fe6f8080000000 8f84 1234 ${'00'.repeat(84)}`);

  it.each([
    ['unauthenticated', UNAUTH, UNAUTHENTICATED, 12, 16],
    ['authenticated', AUTH, AUTHENTICATED, 24, 28],
  ])('gives as much of an %s one as was quoted', (_, packet, mode, t1End, ssidEnd) => {
    for (let length = 0; length <= packet.length; length += 1) {
      const quoted = viewOf(packet.slice(0, length));
      const into = blankStampQuote();
      expect(decodeStampQuote(quoted, 0, length, mode, into)).toBe(length < 4 ? 'short' : 'ok');
      expect(into.sequence).toBe(length < 4 ? 0 : 5);
      expect(into.t1Quoted).toBe(length >= t1End);
      expect(into.t1).toEqual(length < t1End ? blankStampQuote().t1 : T1);
      expect(into.ssid).toBe(length < ssidEnd ? -1 : 0x1234);
      expect(readSsid(quoted, 0, length, mode)).toBe(length < ssidEnd ? -1 : 0x1234);
    }
  });

  it('leaves nothing of a longer quotation in a shorter one', () => {
    const into = blankStampQuote();
    decodeStampQuote(viewOf(UNAUTH), 0, 44, UNAUTHENTICATED, into);
    decodeStampQuote(viewOf(UNAUTH), 0, 8, UNAUTHENTICATED, into);
    expect(into).toMatchObject({ sequence: 5, t1Quoted: false, ssid: -1 });
  });
});
