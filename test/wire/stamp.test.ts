/** STAMP packets against golden octets of the standards reference, and against any octets at all. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blankReflectorPacket,
  blankSenderPacket,
  decodeReflectorPacket,
  decodeSenderPacket,
  encodeReflectorPacket,
  encodeSenderPacket,
  STAMP_BASE_BYTES,
} from '../../src/wire/stamp.ts';
import { fromHex, toHex, viewOf } from './bytes.ts';

const SENDER = `00000001 e8fe6f8080000000 8f84 1234 ${'00'.repeat(28)}`;
/** The answer to SENDER by hand from RFC 8762 figure 5: R-seq 7, T3 .123456789, T2 .5, TTL 254. */
const REFLECTED = '00000007 e8fe6f801f9add37 9980 1234 e8fe6f8080000000 00000001 e8fe6f8080000000 8f84 0000 fe 000000';

describe('Session-Sender packet', () => {
  it('is the golden packet, also over leftovers of another one', () => {
    const octets = new Uint8Array(STAMP_BASE_BYTES + 4).fill(0xff);
    encodeSenderPacket(viewOf(octets), 2, {
      sequence: 1,
      t1: { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
      errorEstimate: 0x8f84,
      ssid: 0x1234,
    });
    expect(toHex(octets)).toBe(`ffff${SENDER.replaceAll(' ', '')}ffff`);
  });

  it('is read back field by field', () => {
    const into = blankSenderPacket();
    expect(decodeSenderPacket(viewOf(fromHex(SENDER)), 0, STAMP_BASE_BYTES, into)).toBe('ok');
    expect(into).toEqual({
      sequence: 1,
      t1: { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
      errorEstimate: 0x8f84,
      ssid: 0x1234,
    });
  });

  it('is refused when short, and when its PTP stamp is impossible', () => {
    const into = blankSenderPacket();
    expect(decodeSenderPacket(viewOf(fromHex(SENDER)), 0, 43, into)).toBe('short');
    const ptp = fromHex(SENDER.replace('80000000', 'ffffffff').replace('8f84', 'cf84'));
    expect(decodeSenderPacket(viewOf(ptp), 0, STAMP_BASE_BYTES, into)).toBe('bad_timestamp');
  });
});

describe('Session-Reflector packet', () => {
  it('answers the golden request with the golden reply', () => {
    const octets = new Uint8Array(STAMP_BASE_BYTES).fill(0xff);
    encodeReflectorPacket(viewOf(octets), 0, viewOf(fromHex(SENDER)), 0, {
      sequence: 7,
      t3: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
      t2: { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
      errorEstimate: 0x9980,
      senderTtl: 254,
    });
    expect(toHex(octets)).toBe(REFLECTED.replaceAll(' ', ''));
  });

  it('is read back field by field, whatever the MBZ octets hold', () => {
    const into = blankReflectorPacket();
    const padded = fromHex(REFLECTED.replace('8f84 0000 fe 000000', '8f84 abcd fe 999999'));
    expect(decodeReflectorPacket(viewOf(padded), 0, STAMP_BASE_BYTES, into)).toBe('ok');
    expect(into).toEqual({
      sequence: 7,
      t3: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
      errorEstimate: 0x9980,
      ssid: 0x1234,
      t2: { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
      senderSequence: 1,
      senderT1: { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
      senderErrorEstimate: 0x8f84,
      senderTtl: 254,
    });
  });
});

describe('any octets', () => {
  it('give a value or a listed refusal, and never an exception', () => {
    const sender = blankSenderPacket();
    const reflector = blankReflectorPacket();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        const view = viewOf(octets);
        const answers = [
          decodeSenderPacket(view, 0, octets.length, sender),
          decodeReflectorPacket(view, 0, octets.length, reflector),
        ];
        const possible = octets.length < STAMP_BASE_BYTES ? ['short'] : ['ok', 'bad_timestamp'];
        for (const answer of answers) expect(possible).toContain(answer);
      }),
      { numRuns: 2000 },
    );
  });
});
