/** Authenticated STAMP packets against the vector of the standards reference and packets assembled by hand from RFC 8762. */

import { describe, expect, it } from 'vitest';
import { blankReflectorPacket, blankSenderPacket } from '../../src/wire/stamp.ts';
import {
  decodeAuthReflectorPacket,
  decodeAuthSenderPacket,
  encodeAuthReflectorPacket,
  encodeAuthSenderPacket,
} from '../../src/wire/stamp-auth.ts';
import { fromHex, toHex, viewOf } from './bytes.ts';
import { nodeMac, plainMac, VECTOR_KEY } from './node-mac.ts';

const mac = nodeMac(VECTOR_KEY);
const zeros = (octets: number) => '00'.repeat(octets);
const packed = (hex: string) => hex.replaceAll(/\s/g, '');

/** The vector: key 00 to 1f, sequence 1, T1 .5, Error Estimate 8f84, SSID 1234. */
const SENDER = packed(`00000001 ${zeros(12)} e8fe6f8080000000 8f84 1234 ${zeros(68)} a05feaae5e2e17a76d6ad79551b4fab0`);
/** The answer by hand from RFC 8762 figure 6: R-seq 7, T3 .123456789, T2 .5, TTL 254; its HMAC is Node.js's. */
const REFLECTED_TEXT = packed(
  `00000007 ${zeros(12)} e8fe6f801f9add37 9980 1234 ${zeros(4)} e8fe6f8080000000 ${zeros(8)}
   00000001 ${zeros(12)} e8fe6f8080000000 8f84 ${zeros(6)} fe ${zeros(15)}`,
);
const REFLECTED = REFLECTED_TEXT + plainMac(VECTOR_KEY, REFLECTED_TEXT);

const T1 = { seconds: 1_700_000_000, nanoseconds: 500_000_000 };
const OWN = {
  sequence: 7,
  t3: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
  t2: T1,
  errorEstimate: 0x9980,
  senderTtl: 254,
};

/** `hex` with the octets from `at` replaced. */
function patched(hex: string, at: number, octets: string): Uint8Array {
  return fromHex(hex.slice(0, 2 * at) + octets + hex.slice(2 * at + octets.length));
}

describe('an authenticated Session-Sender packet', () => {
  it('is the vector, also over leftovers of another one', () => {
    const octets = new Uint8Array(116).fill(0xff);
    encodeAuthSenderPacket(viewOf(octets), 2, { sequence: 1, t1: T1, errorEstimate: 0x8f84, ssid: 0x1234 }, mac);
    expect(toHex(octets)).toBe(`ffff${SENDER}ffff`);
  });

  it('is read back field by field', () => {
    const into = blankSenderPacket();
    expect(decodeAuthSenderPacket(viewOf(fromHex(`ff${SENDER}`)), 1, 112, mac, into)).toBe('ok');
    expect(into).toEqual({ sequence: 1, t1: T1, errorEstimate: 0x8f84, ssid: 0x1234 });
  });

  it('is refused when any octet of it is changed, MBZ octets too, and nothing of it is used', () => {
    for (let at = 0; at < 112; at += 1) {
      const octets = fromHex(SENDER);
      octets[at] = (octets[at] ?? 0) ^ 0x10;
      const into = blankSenderPacket();
      expect(decodeAuthSenderPacket(viewOf(octets), 0, 112, mac, into), `octet ${at}`).toBe('bad_mac');
      expect(into).toEqual(blankSenderPacket());
    }
  });

  it('may have MBZ octets that are not zero, if they are authentic (RFC 8762 section 4.2.2)', () => {
    const text = toHex(patched(SENDER, 30, 'abcd')).slice(0, 192);
    const octets = fromHex(text + plainMac(VECTOR_KEY, text));
    expect(decodeAuthSenderPacket(viewOf(octets), 0, 112, mac, blankSenderPacket())).toBe('ok');
  });

  it('is refused when short, and when its PTP stamp is impossible although authentic', () => {
    expect(decodeAuthSenderPacket(viewOf(fromHex(SENDER)), 0, 111, mac, blankSenderPacket())).toBe('short');
    const text = toHex(patched(SENDER, 20, 'ffffffffcf84')).slice(0, 192);
    const octets = fromHex(text + plainMac(VECTOR_KEY, text));
    expect(decodeAuthSenderPacket(viewOf(octets), 0, 112, mac, blankSenderPacket())).toBe('bad_timestamp');
  });
});

describe('an authenticated Session-Reflector packet', () => {
  it('answers the vector with the packet of figure 6', () => {
    const octets = new Uint8Array(116).fill(0xff);
    encodeAuthReflectorPacket(viewOf(octets), 2, viewOf(fromHex(`aa${SENDER}`)), 1, OWN, mac);
    expect(toHex(octets)).toBe(`ffff${REFLECTED}ffff`);
  });

  it('is read back field by field', () => {
    const into = blankReflectorPacket();
    expect(decodeAuthReflectorPacket(viewOf(fromHex(`ff${REFLECTED}`)), 1, 112, mac, into)).toBe('ok');
    expect(into).toEqual({ ...OWN, ssid: 0x1234, senderSequence: 1, senderT1: T1, senderErrorEstimate: 0x8f84 });
  });

  it('is refused when short, when changed anywhere, and under another key', () => {
    const into = blankReflectorPacket();
    expect(decodeAuthReflectorPacket(viewOf(fromHex(REFLECTED)), 0, 111, mac, into)).toBe('short');
    for (let at = 0; at < 112; at += 1) {
      const octets = fromHex(REFLECTED);
      octets[at] = (octets[at] ?? 0) ^ 1;
      expect(decodeAuthReflectorPacket(viewOf(octets), 0, 112, mac, into), `octet ${at}`).toBe('bad_mac');
    }
    const other = nodeMac(new Uint8Array(32));
    expect(decodeAuthReflectorPacket(viewOf(fromHex(REFLECTED)), 0, 112, other, into)).toBe('bad_mac');
    expect(into).toEqual(blankReflectorPacket());
  });
});
