/**
 * Every decoder and the reflector against random and damaged packets: no exception, no octet read or written outside the
 * packet, the reply as long as the rule says and with no TLV more than the request.
 */

import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { HmacSha256Mac } from '../../src/probe/packet-mac.ts';
import { blankEchoProbe, decodeEchoReply, decodeQuotedEcho } from '../../src/wire/icmp-echo.ts';
import {
  blankReflectorPacket,
  blankSenderPacket,
  decodeReflectorPacket,
  decodeSenderPacket,
} from '../../src/wire/stamp.ts';
import { decodeAuthReflectorPacket, decodeAuthSenderPacket } from '../../src/wire/stamp-auth.ts';
import { AUTHENTICATED, readSsid, replyBytes, type StampMode, UNAUTHENTICATED } from '../../src/wire/stamp-mode.ts';
import { blankStampQuote, decodeStampQuote } from '../../src/wire/stamp-quote.ts';
import { blankTlvFacts } from '../../src/wire/stamp-tlv-facts.ts';
import { reflectTlvs } from '../../src/wire/stamp-tlv-reflect.ts';
import { readReplyTlvs } from '../../src/wire/stamp-tlv-reply.ts';
import { blankTlvValues } from '../../src/wire/stamp-tlv-values.ts';
import { decodeTwampLightReply, decodeTwampLightRequest } from '../../src/wire/twamp-light.ts';
import { viewOf } from './bytes.ts';
import { FUZZ_KINDS, fuzz, PacketFuzzer } from './fuzz-packets.ts';
import { VECTOR_KEY } from './node-mac.ts';

const mac = new HmacSha256Mac(VECTOR_KEY, new Uint8Array(32));
const OPTIONS = { mac, ssid: 0x1234, echoSession: 0xcafe_f00d, kinds: FUZZ_KINDS };
const PACKETS = 10_000;

const TIMESTAMPS = ['ok', 'short', 'bad_timestamp'];
const READINGS = ['none', 'ok', 'truncated', 'malformed', 'refused', 'bad_mac'];

interface Decoder {
  verdicts: readonly unknown[];
  /** The verdict, and everything that was filled. */
  decode: (view: DataView, offset: number, length: number) => [unknown, object];
}

function decoder<T extends object>(
  verdicts: readonly unknown[],
  blank: () => T,
  decode: (view: DataView, offset: number, length: number, into: T) => unknown,
): Decoder {
  return {
    verdicts,
    decode(view, offset, length) {
      const into = blank();
      return [decode(view, offset, length, into), into];
    },
  };
}

const echoReplies = ['ok', 'short', 'not_reply', 'foreign', 'corrupt'];
const echoQuotes = ['ok', 'header', 'short', 'not_request', 'foreign'];
const session = OPTIONS.echoSession;
const DECODERS: Record<string, Decoder> = {
  request: decoder(TIMESTAMPS, blankSenderPacket, decodeSenderPacket),
  reply: decoder(TIMESTAMPS, blankReflectorPacket, decodeReflectorPacket),
  twampRequest: decoder(TIMESTAMPS, blankSenderPacket, decodeTwampLightRequest),
  twampReply: decoder(TIMESTAMPS, blankReflectorPacket, decodeTwampLightReply),
  authRequest: decoder([...TIMESTAMPS, 'bad_mac'], blankSenderPacket, (view, offset, length, into) =>
    decodeAuthSenderPacket(view, offset, length, mac, into),
  ),
  authReply: decoder([...TIMESTAMPS, 'bad_mac'], blankReflectorPacket, (view, offset, length, into) =>
    decodeAuthReflectorPacket(view, offset, length, mac, into),
  ),
  echo: decoder(echoReplies, blankEchoProbe, (view, offset, length, into) =>
    decodeEchoReply(view, offset, length, session, into),
  ),
  echo6: decoder(echoReplies, blankEchoProbe, (view, offset, length, into) =>
    decodeEchoReply(view, offset, length, session, into, 'ipv6'),
  ),
  quotedEcho: decoder(echoQuotes, blankEchoProbe, (view, offset, length, into) =>
    decodeQuotedEcho(view, offset, length, session, into),
  ),
  quotedEcho6: decoder(echoQuotes, blankEchoProbe, (view, offset, length, into) =>
    decodeQuotedEcho(view, offset, length, session, into, 'ipv6'),
  ),
  ...modeDecoders('', UNAUTHENTICATED),
  ...modeDecoders('auth', AUTHENTICATED),
};

function modeDecoders(name: string, mode: StampMode): Record<string, Decoder> {
  return {
    [`${name} quote`]: decoder(['ok', 'short'], blankStampQuote, (view, offset, length, into) =>
      decodeStampQuote(view, offset, length, mode, into),
    ),
    [`${name} TLVs`]: decoder(READINGS, blankTlvValues, (view, offset, length, into) =>
      readReplyTlvs(view, offset, length, mode, null, into),
    ),
    [`${name} TLVs with HMAC`]: decoder(READINGS, blankTlvValues, (view, offset, length, into) =>
      readReplyTlvs(view, offset, length, mode, mac, into),
    ),
  };
}

/** `octets` in the middle of a buffer that is full of `filler` before and after. */
function embedded(octets: Uint8Array, before: number, filler: number): Uint8Array {
  const buffer = new Uint8Array(before + octets.length + 32).fill(filler);
  buffer.set(octets, before);
  return buffer;
}

/** The top-level TLVs as "type:length" for as long as they can be walked. */
function tlvHeaders(octets: Uint8Array, base: number): string[] {
  const view = viewOf(octets);
  const headers: string[] = [];
  for (let at = base; at + 4 <= octets.length; at += 4 + view.getUint16(at + 2)) {
    headers.push(`${view.getUint8(at + 1)}:${view.getUint16(at + 2)}`);
  }
  return headers;
}

describe('any packet', () => {
  it('gives each decoder a listed verdict that depends on nothing outside the packet, and changes no octet', () => {
    fuzz(OPTIONS, PACKETS, (octets, _, random) => {
      const before = random.below(20);
      // The packet alone: reading past either end throws. Among other octets: reading them changes the result.
      const alone = viewOf(Uint8Array.from(octets));
      const among = embedded(octets, before, random.below(256));
      const untouched = Uint8Array.from(among);
      for (const { verdicts, decode } of Object.values(DECODERS)) {
        const result = decode(alone, 0, octets.length);
        ok(verdicts.includes(result[0]), String(result[0]));
        deepStrictEqual(decode(viewOf(among), before, octets.length), result);
      }
      for (const mode of [UNAUTHENTICATED, AUTHENTICATED]) {
        strictEqual(readSsid(viewOf(among), before, octets.length, mode), readSsid(alone, 0, octets.length, mode));
      }
      deepStrictEqual(among, untouched);
    });
    expect(Object.keys(DECODERS)).toHaveLength(16);
  });

  it('is reflected within its own length, TLV for TLV, and reads and writes nothing around it', () => {
    const seen = new Set<string>();
    fuzz(OPTIONS, PACKETS, (octets, _, random) => {
      for (const mode of [UNAUTHENTICATED, AUTHENTICATED]) {
        const facts = { ...blankTlvFacts(mode, random.oneIn(2) ? mac : null), sequence: 0x01020304, dscp: 46 };
        facts.permittedDscp.fill(1);
        const { baseBytes } = mode;
        const bytes = replyBytes(octets.length, mode);
        strictEqual(bytes, Math.max(octets.length, baseBytes));
        const filler = random.below(256);
        const reply = new Uint8Array(16 + bytes + 16).fill(filler);
        const request = viewOf(Uint8Array.from(octets));
        const verdict = reflectTlvs(request, 0, octets.length, viewOf(reply), 16, facts);
        seen.add(verdict);

        // Guards and base packet, save the sequence number that the HMAC covers.
        const answered = verdict === 'answered' || verdict === 'malformed';
        for (let at = 0; at < reply.length; at += 1) {
          const sequence = answered && at >= 16 && at < 20;
          const tlvs = at >= 16 + baseBytes && at < 16 + octets.length;
          if (!sequence && !tlvs) strictEqual(reply[at], filler, `octet ${at - 16}`);
        }
        const reflected = reply.slice(16, 16 + bytes);
        deepStrictEqual(tlvHeaders(reflected, baseBytes), tlvHeaders(octets, baseBytes));

        const among = embedded(octets, 9, random.below(256));
        const again = new Uint8Array(reply.length).fill(filler);
        strictEqual(reflectTlvs(viewOf(among), 9, octets.length, viewOf(again), 16, facts), verdict);
        deepStrictEqual(again, reply);

        // What a reflector answers, its sender understands: verified, and no TLV counts that was not processed.
        const reading = readReplyTlvs(viewOf(reflected), 0, bytes, mode, facts.mac, blankTlvValues());
        if (verdict === 'bad_mac') strictEqual(reading, 'refused');
        if (verdict === 'answered') strictEqual(reading, 'ok');
        if (verdict === 'none') strictEqual(reading, 'none');
      }
    });
    expect([...seen].toSorted()).toEqual(['answered', 'bad_mac', 'malformed', 'none']);
  });
});

describe('the generator', () => {
  it('gives the same packets for the same seed, and others for another', () => {
    const packets = (seed: number): string => {
      const fuzzer = new PacketFuzzer({ ...OPTIONS, seed });
      const buffer = new Uint8Array(1472);
      return Array.from({ length: 50 }, () =>
        Buffer.from(buffer.subarray(0, fuzzer.next(buffer))).toString('hex'),
      ).join();
    };
    expect(packets(1)).toBe(packets(1));
    expect(packets(1)).not.toBe(packets(2));
  });

  it('reaches behind every check: valid packets of each kind are among its own', () => {
    const verdicts = new Set<string>();
    fuzz(OPTIONS, PACKETS, (octets) => {
      for (const [name, { decode }] of Object.entries(DECODERS)) {
        verdicts.add(`${name}: ${String(decode(viewOf(octets), 0, octets.length)[0])}`);
      }
    });
    for (const name of Object.keys(DECODERS)) expect(verdicts).toContain(`${name}: ok`);
    for (const reading of READINGS) expect(verdicts).toContain(`auth TLVs with HMAC: ${reading}`);
  });
});
