/** ICMP echo probes: the checksum by a plain implementation, damage noticed, any octets survived. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blankEchoProbe,
  decodeEchoReply,
  decodeQuotedEcho,
  type EchoProbe,
  encodeEchoRequest,
  ICMP_HEADER_BYTES,
} from '../../src/wire/icmp-echo.ts';
import { toHex, viewOf } from './bytes.ts';
import { plainChecksum } from './plain-checksum.ts';

const SESSION = 0xcafe_f00d;
const PROBE: EchoProbe = {
  identifier: 0x7001,
  session: SESSION,
  path: 513,
  sequence: 0x0001_0203,
  t1: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
};

function request(probe: EchoProbe, payloadBytes: number): Uint8Array {
  const octets = new Uint8Array(ICMP_HEADER_BYTES + payloadBytes).fill(0xee);
  encodeEchoRequest(viewOf(octets), 0, payloadBytes, probe);
  return octets;
}

/** What an echoing host sends back: type 0 and the checksum adjusted for it (RFC 792). */
function reply(probe: EchoProbe, payloadBytes: number): Uint8Array {
  const octets = request(probe, payloadBytes);
  const view = viewOf(octets);
  view.setUint8(0, 0);
  view.setUint16(2, 0);
  view.setUint16(2, plainChecksum(octets));
  return octets;
}

const probes = fc.record({
  identifier: fc.integer({ min: 0, max: 0xffff }),
  session: fc.integer({ min: 0, max: 0xffff_ffff }),
  path: fc.integer({ min: 0, max: 0xffff }),
  sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
  t1: fc.record({
    seconds: fc.integer({ min: 0, max: 0xffff_ffff }),
    nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
  }),
});

describe('echo request', () => {
  it('has its fields where the diagram says', () => {
    const hex = toHex(request(PROBE, 24));
    expect(hex.slice(0, 4)).toBe('0800');
    expect(hex.slice(8, 16)).toBe('70010203');
    expect(hex.slice(16, 36)).toBe('506f5070cafef00d0201');
    expect(hex.slice(40)).toBe('000102036553f100075bcd15');
  });

  it('always has the same checksum, and it is right by RFC 1071, also for odd sizes', () => {
    fc.assert(
      fc.property(probes, fc.integer({ min: 24, max: 1472 }), (probe, payloadBytes) => {
        const octets = request(probe, payloadBytes);
        expect(plainChecksum(octets)).toBe(0);
        expect(viewOf(octets).getUint16(2)).toBe(0x7070);
      }),
    );
  });
});

describe('echo reply', () => {
  it('gives back the probe it answers', () => {
    fc.assert(
      fc.property(probes, fc.integer({ min: 24, max: 200 }), (probe, payloadBytes) => {
        const octets = reply(probe, payloadBytes);
        const into = blankEchoProbe();
        expect(decodeEchoReply(viewOf(octets), 0, octets.length, probe.session, into)).toBe('ok');
        expect(into).toEqual(probe);
      }),
    );
  });

  it('is corrupt when a bit is flipped anywhere behind the session', () => {
    const octets = reply(PROBE, 64);
    for (let bit = 16 * 8; bit < octets.length * 8; bit += 1) {
      const damaged = Uint8Array.from(octets);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeEchoReply(viewOf(damaged), 0, damaged.length, SESSION, blankEchoProbe())).toBe('corrupt');
    }
  });

  it('is corrupt when two octets of the fill swap places, which the checksum does not notice', () => {
    const octets = reply(PROBE, 64);
    const damaged = Uint8Array.from(octets);
    [damaged[40], damaged[41], damaged[42], damaged[43]] = [
      octets[42] ?? 0,
      octets[43] ?? 0,
      octets[40] ?? 0,
      octets[41] ?? 0,
    ];
    expect(plainChecksum(damaged)).toBe(0);
    expect(decodeEchoReply(viewOf(damaged), 0, damaged.length, SESSION, blankEchoProbe())).toBe('corrupt');
  });

  it('is foreign when it belongs to another run or program', () => {
    const octets = reply(PROBE, 64);
    expect(decodeEchoReply(viewOf(octets), 0, octets.length, SESSION + 1, blankEchoProbe())).toBe('foreign');
    const ping = new Uint8Array(64);
    expect(decodeEchoReply(viewOf(ping), 0, ping.length, SESSION, blankEchoProbe())).toBe('foreign');
  });

  it('is not taken from a request, and not from a short message', () => {
    const octets = request(PROBE, 64);
    expect(decodeEchoReply(viewOf(octets), 0, octets.length, SESSION, blankEchoProbe())).toBe('not_reply');
    expect(decodeEchoReply(viewOf(octets), 0, 31, SESSION, blankEchoProbe())).toBe('short');
  });
});

describe('echo over IPv6', () => {
  /** RFC 4443 section 2.3 and RFC 8200 section 8.1: both addresses, length and next header 58 are summed too. */
  function pseudoHeader(bytes: number): Uint8Array {
    const octets = new Uint8Array(40);
    octets.set([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 0);
    octets.set([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], 16);
    viewOf(octets).setUint32(32, bytes);
    octets[39] = 58;
    return octets;
  }

  function request6(probe: EchoProbe, payloadBytes: number): Uint8Array {
    const octets = new Uint8Array(ICMP_HEADER_BYTES + payloadBytes).fill(0xee);
    encodeEchoRequest(viewOf(octets), 0, payloadBytes, probe, 'ipv6');
    return octets;
  }

  /** What the kernel puts into the checksum of a message that is sent. */
  function kernelChecksum(octets: Uint8Array): number {
    const summed = new Uint8Array(40 + octets.length);
    summed.set(pseudoHeader(octets.length));
    summed.set(octets, 40);
    return plainChecksum(summed);
  }

  function reply6(probe: EchoProbe, payloadBytes: number): Uint8Array {
    const octets = request6(probe, payloadBytes);
    octets[0] = 129;
    viewOf(octets).setUint16(2, kernelChecksum(octets));
    return octets;
  }

  it('has type 128, code 0, no checksum of its own, and the fields of IPv4 after it', () => {
    const hex = toHex(request6(PROBE, 24));
    expect(hex.slice(0, 8)).toBe('80000000');
    expect(hex.slice(8, 36)).toBe('70010203506f5070cafef00d0201');
    expect(hex.slice(40)).toBe('000102036553f100075bcd15');
  });

  it('gets the same checksum from the kernel for every probe of a size, also for odd sizes', () => {
    fc.assert(
      fc.property(fc.array(probes, { minLength: 2, maxLength: 4 }), fc.integer({ min: 24, max: 200 }), (all, bytes) => {
        expect(new Set(all.map((probe) => kernelChecksum(request6(probe, bytes)))).size).toBe(1);
      }),
    );
  });

  it('gives back the probe that a reply answers, and takes no IPv4 reply for one, nor the other way round', () => {
    fc.assert(
      fc.property(probes, fc.integer({ min: 24, max: 200 }), (probe, bytes) => {
        const octets = reply6(probe, bytes);
        const into = blankEchoProbe();
        expect(decodeEchoReply(viewOf(octets), 0, octets.length, probe.session, into, 'ipv6')).toBe('ok');
        expect(into).toEqual(probe);
        expect(decodeEchoReply(viewOf(octets), 0, octets.length, probe.session, into)).toBe('not_reply');
        const v4 = reply(probe, bytes);
        expect(decodeEchoReply(viewOf(v4), 0, v4.length, probe.session, into, 'ipv6')).toBe('not_reply');
      }),
    );
  });

  it('is corrupt when a bit is flipped behind the checksum, which is the kernel’s to verify', () => {
    const octets = reply6(PROBE, 64);
    for (let bit = 16 * 8; bit < octets.length * 8; bit += 1) {
      const damaged = Uint8Array.from(octets);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeEchoReply(viewOf(damaged), 0, damaged.length, SESSION, blankEchoProbe(), 'ipv6')).toBe('corrupt');
    }
  });

  it('is recognised in the quotation of an ICMPv6 error', () => {
    const octets = request6(PROBE, 64);
    const into = blankEchoProbe();
    expect(decodeQuotedEcho(viewOf(octets), 0, 72, SESSION, into, 'ipv6')).toBe('ok');
    expect(into).toEqual(PROBE);
    expect(decodeQuotedEcho(viewOf(octets), 0, 72, SESSION, into)).toBe('not_request');
  });
});

describe('a request quoted in an ICMP error', () => {
  it('gives as much as was quoted', () => {
    const nothing = { seconds: 0, nanoseconds: 0 };
    const octets = request(PROBE, 64);
    for (let length = 0; length <= 72; length += 1) {
      const into = blankEchoProbe();
      into.t1 = { seconds: 9, nanoseconds: 9 };
      const decoding = decodeQuotedEcho(viewOf(octets.slice(0, length)), 0, length, SESSION, into);
      const header = { identifier: PROBE.identifier, session: 0, path: 0, sequence: 0x0203, t1: nothing };
      let expected: [string, EchoProbe] = ['ok', PROBE];
      if (length < 32) expected = ['ok', { ...PROBE, t1: nothing }];
      if (length < 24) expected = ['header', header];
      if (length < 8) expected = ['short', { ...blankEchoProbe(), t1: { seconds: 9, nanoseconds: 9 } }];
      expect([decoding, into], `${length} octets`).toEqual(expected);
    }
  });

  it('is foreign when another run sent it', () => {
    const octets = request(PROBE, 64);
    expect(decodeQuotedEcho(viewOf(octets), 0, 72, SESSION + 1, blankEchoProbe())).toBe('foreign');
  });

  it('is recognised, and no octets make either decoder throw', () => {
    const octets = request(PROBE, 64);
    const into = blankEchoProbe();
    expect(decodeQuotedEcho(viewOf(octets), 0, 32, SESSION, into)).toBe('ok');
    expect(into).toEqual(PROBE);
    const answers = ['ok', 'header', 'short', 'not_reply', 'not_request', 'foreign', 'corrupt'];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (any) => {
        expect(answers).toContain(decodeEchoReply(viewOf(any), 0, any.length, SESSION, into));
        expect(answers).toContain(decodeQuotedEcho(viewOf(any), 0, any.length, SESSION, into));
      }),
      { numRuns: 2000 },
    );
  });
});
