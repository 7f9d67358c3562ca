/** A reflector's answers to TLVs, octet for octet by hand from RFC 8972; every HMAC here is computed by Node.js. */

import { describe, expect, it } from 'vitest';
import type { PacketMac } from '../../src/wire/packet-mac.ts';
import { AUTHENTICATED, UNAUTHENTICATED } from '../../src/wire/stamp-mode.ts';
import { SYNC_SOURCES } from '../../src/wire/stamp-tlv.ts';
import { blankTlvFacts, type TlvFacts, type TlvVerdict } from '../../src/wire/stamp-tlv-facts.ts';
import { reflectTlvs } from '../../src/wire/stamp-tlv-reflect.ts';
import { fromHex, toHex, viewOf } from './bytes.ts';
import { nodeMac, plainMac, VECTOR_KEY } from './node-mac.ts';

const zeros = (octets: number) => '00'.repeat(octets);
const packed = (hex: string) => hex.replaceAll(/\s/g, '');
const REQUEST_SEQUENCE = '00000001';
const REPLY_SEQUENCE = '0000002a';
const COS = '80040004 b8000000';

/** Received with DSCP 34 and ECN 2 from 192.0.2.1:50001 at 198.51.100.7:862; DSCP 46 may be asked for. */
function facts(mac: PacketMac | null, change: Partial<TlvFacts> = {}): TlvFacts {
  const all = { ...blankTlvFacts(UNAUTHENTICATED, mac), sequence: 0x2a, dscp: 34, ecn: 2, ...change };
  all.sourceAddress.set([192, 0, 2, 1]);
  all.destinationAddress.set([198, 51, 100, 7]);
  all.sourcePort = 50_001;
  all.destinationPort = 862;
  all.permittedDscp[46] = 1;
  return all;
}

/** The octets behind the base packet of the reply. Guards around request and reply are checked. */
function reflected(tlvs: string, known: TlvFacts, verdict: TlvVerdict): string {
  const { baseBytes } = known.mode;
  const request = fromHex(`ee${REQUEST_SEQUENCE}${zeros(baseBytes - 4)}${tlvs}ee`);
  const length = request.length - 2;
  const reply = new Uint8Array(length + 4).fill(0xdd);
  expect(reflectTlvs(viewOf(request), 1, length, viewOf(reply), 2, known)).toBe(verdict);
  const hex = toHex(reply);
  const sequence = verdict === 'bad_mac' || verdict === 'none' ? 'dddddddd' : REPLY_SEQUENCE;
  expect(hex.slice(0, 4 + 2 * baseBytes)).toBe(`dddd${sequence}${'dd'.repeat(baseBytes - 4)}`);
  expect(hex.slice(-4)).toBe('dddd');
  return hex.slice(4 + 2 * baseBytes, -4);
}

const requestMac = (tlvs: string) => `80080010${plainMac(VECTOR_KEY, REQUEST_SEQUENCE, tlvs)}`;
const replyMac = (tlvs: string) => `00080010${plainMac(VECTOR_KEY, REPLY_SEQUENCE, tlvs)}`;

describe('each TLV', () => {
  it('is not there in a base packet', () => {
    expect(reflected('', facts(null), 'none')).toBe('');
  });

  it('Extra Padding goes back as it came, several times', () => {
    expect(reflected('80010002abcd 80010000', facts(null), 'answered')).toBe('00010002abcd00010000');
  });

  it('Class of Service: DSCP 34 and ECN 2 were received, DSCP 46 is granted', () => {
    const known = facts(null);
    // 101110 100010 10 00
    expect(reflected(COS, known, 'answered')).toBe('00040004ba280000');
    expect(known.grantedDscp).toBe(46);
  });

  it('Class of Service: DSCP 45 is not permitted, RP is 1 and the reply keeps the received one', () => {
    const known = facts(null);
    // 101101 100010 10 01
    expect(reflected('80040004 b4ffffff', known, 'answered')).toBe('00040004b6290000');
    expect(known.grantedDscp).toBe(-1);
  });

  it('Class of Service twice: the first DSCP permitted is the one that is used, and RP says so', () => {
    const known = facts(null);
    known.permittedDscp[10] = 1;
    expect(reflected(`80040004b4000000${COS}8004000428000000`, known, 'answered')).toBe(
      '00040004b6290000 00040004ba280000 000400042a290000'.replaceAll(' ', ''),
    );
    expect(known.grantedDscp).toBe(46);
  });

  it('Class of Service: what one packet was granted says nothing about the next', () => {
    const known = facts(null);
    reflected(COS, known, 'answered');
    reflected('80010000', known, 'answered');
    expect(known.grantedDscp).toBe(-1);
    reflected(COS, known, 'answered');
    reflected('', known, 'none');
    expect(known.grantedDscp).toBe(-1);
  });

  it('Class of Service is not understood where the received DSCP cannot be told', () => {
    expect(reflected(COS, facts(null, { dscp: -1 }), 'answered')).toBe('80040004b8000000');
  });

  it('Direct Measurement: S_TxC is kept, both counters are filled', () => {
    const known = facts(null, { packetsReceived: 0x0102_0304, packetsSent: 0xffff_fffe });
    expect(reflected('8005000c 00000009 11111111 22222222', known, 'answered')).toBe(
      '0005000c0000000901020304fffffffe',
    );
  });

  it('Follow-Up Telemetry: the previous reply, or zeros where there is none', () => {
    const asked = `80070010${'77'.repeat(16)}`;
    const previous = {
      previousKnown: true,
      previousSequence: 0x29,
      previousSent: { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
    };
    expect(reflected(asked, facts(null, previous), 'answered')).toBe(
      '00070010 00000029 e8fe6f8080000000 02000000'.replaceAll(' ', ''),
    );
    expect(reflected(asked, facts(null), 'answered')).toBe(`00070010${zeros(16)}`);
  });

  it('Timestamp Information: source of synchronisation and software stamps; no sub-TLV is understood', () => {
    const known = facts(null, { syncSource: SYNC_SOURCES.ntp });
    expect(reflected('80030004 00000000', known, 'answered')).toBe('0003000401020102');
    expect(reflected('8003000a 00000000 80630002abcd', known, 'answered')).toBe('0003000a0102010280630002abcd');
  });

  it('Location over IPv4: ports, addresses, no MAC address, a sub-TLV that nobody knows', () => {
    const asked = `8002003c 00000000 80010008${'ff'.repeat(8)} 80040010${zeros(16)} 80070010${zeros(16)} 80630000`;
    const answered = `0002003c 035e c351 00030008${zeros(8)} 00050010c6336407${zeros(12)} 00080010c0000201${zeros(12)} 80630000`;
    expect(reflected(packed(asked), facts(null), 'answered')).toBe(packed(answered));
  });

  it('Location over IPv6, over whatever the sender left there', () => {
    const known = facts(null, { family: 'ipv6' });
    known.sourceAddress.set([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    known.destinationAddress.set([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    const asked = `8002002c ffffffff 80040010${'ff'.repeat(16)} 80070010${'ff'.repeat(16)}`;
    const answered = `0002002c 035ec351 0006001020010db8${zeros(11)}02 0009001020010db8${zeros(11)}01`;
    expect(reflected(packed(asked), known, 'answered')).toBe(packed(answered));
  });

  it('Location where policy keeps it back: the same length, zeros', () => {
    const known = facts(null, { locationReported: false });
    const asked = `80020018 00000000 80040010${'ff'.repeat(16)}`;
    expect(reflected(packed(asked), known, 'answered')).toBe(packed(`00020018 00000000 00050010${zeros(16)}`));
  });
});

describe('what is not understood', () => {
  it.each([0, 6, 9, 10, 11, 12, 13, 175, 240, 255])('type %i goes back with U set and nothing else done', (type) => {
    const hex = type.toString(16).padStart(2, '0');
    const known = facts(null);
    expect(reflected(`00${hex}0008 0000000400000001 ${COS}`, known, 'answered')).toBe(
      `80${hex}0008000000040000000100040004ba280000`,
    );
  });

  it('has its reserved flags cleared', () => {
    expect(reflected('ffc80000', facts(null), 'answered')).toBe('80c80000');
  });
});

describe('a malformed TLV', () => {
  it.each([
    ['Class of Service of 3 octets', '80040003 aabbcc', '40040003aabbcc'],
    ['Direct Measurement of 13 octets', `8005000d ${'aa'.repeat(13)}`, `4005000d${'aa'.repeat(13)}`],
    ['Location of 3 octets', '80020003 aabbcc', '40020003aabbcc'],
    ['Timestamp Information of 3 octets', '80030003 aabbcc', '40030003aabbcc'],
    ['a private type without its enterprise code', '80fd0003 aabbcc', 'c0fd0003aabbcc'],
    [
      'Follow-Up Telemetry of 17 octets, which loses its values',
      `80070011 ${'aa'.repeat(17)}`,
      `40070011${zeros(12)}${'aa'.repeat(5)}`,
    ],
    [
      'Follow-Up Telemetry of 5 octets, of which no more is cleared',
      `80070005 ${'aa'.repeat(5)}`,
      `40070005${zeros(5)}`,
    ],
    ['Location with a sub-TLV of the wrong length', '8002000a aabbccdd 80040002 aabb', '4002000aaabbccdd40040002aabb'],
    [
      'Location with a sub-TLV that reaches out of it',
      '8002000a aabbccdd 80040010 aabb',
      '4002000aaabbccdd40040010aabb',
    ],
    ['Location with half a sub-TLV header', '80020006 aabbccdd 8004', '40020006aabbccdd4004'],
  ])('%s gets M, and what follows is copied unprocessed', (_, asked, answered) => {
    expect(reflected(asked + COS, facts(null), 'malformed')).toBe(answered + packed(COS));
  });

  it.each([
    ['a TLV that reaches beyond the packet', '80040005 aabbccdd', '40040005aabbccdd'],
    ['Follow-Up Telemetry that reaches beyond the packet', '80070010 aabbccdd', '4007001000000000'],
    ['an unknown one', '80c80005 aabbccdd', 'c0c80005aabbccdd'],
    ['an Access Report', '80060005 aabbccdd', 'c0060005aabbccdd'],
    ['half a header', '8004', '4004'],
    ['a single octet', '80', 'c0'],
  ])('at the end (%s) gets M; what was before it has been answered', (_, asked, answered) => {
    expect(reflected(COS + asked, facts(null), 'malformed')).toBe(`00040004ba280000${answered}`);
  });
});

describe('the HMAC TLV', () => {
  const mac = nodeMac(VECTOR_KEY);
  const text = packed(`${COS} 80010001ab`);
  const answeredText = '00040004ba28000000010001ab';

  it('of the vector is right, and is computed anew over the reply’s sequence number and its TLVs', () => {
    const asked = packed(`${COS} 80080010 b6ba3e74ddb7a04bb4b142f70c11b7b5`);
    const answered = '00040004ba280000';
    expect(reflected(asked, facts(mac), 'answered')).toBe(answered + replyMac(answered));
  });

  it('may be followed by Extra Padding, which it does not protect', () => {
    expect(reflected(`${text}${requestMac(text)}80010002abcd`, facts(mac), 'answered')).toBe(
      `${answeredText}${replyMac(answeredText)}00010002abcd`,
    );
  });

  it('is needless when Extra Padding is all there is, also in authenticated mode', () => {
    const known = facts(mac, { mode: AUTHENTICATED });
    expect(reflected('80010002abcd 80010000', known, 'answered')).toBe('00010002abcd00010000');
  });

  it('protects a packet in authenticated mode too', () => {
    const known = facts(mac, { mode: AUTHENTICATED });
    expect(reflected(text + requestMac(text), known, 'answered')).toBe(answeredText + replyMac(answeredText));
  });

  const wrong = requestMac(text).replace(/..$/, (octet) => (octet === '00' ? '01' : '00'));
  const refusedText = '20040004b800000020010001ab';
  const flagged = (tlv: string) => `20${tlv.slice(2)}`;
  it.each([
    ['wrong', text + wrong, refusedText + flagged(wrong)],
    ['missing', text, refusedText],
    ['missing, before something malformed', `${packed(COS)}80040009aa`, '20040004b800000060040009aa'],
    [
      'followed by another TLV',
      `${text}${requestMac(text)}80c80000`,
      `${refusedText}${flagged(requestMac(text))}a0c80000`,
    ],
    ['followed by half a TLV', `${text}${requestMac(text)}80`, `${refusedText}${flagged(requestMac(text))}e0`],
    ['of 15 octets', `${text}8008000f${zeros(15)}`, `${refusedText}2008000f${zeros(15)}`],
    ['cut off', `${text}80080010${zeros(9)}`, `${refusedText}60080010${zeros(9)}`],
    [
      'there twice',
      `${requestMac('')}${requestMac(requestMac(''))}`,
      flagged(requestMac('')) + flagged(requestMac(requestMac(''))),
    ],
  ])('%s: every TLV goes back with I set, none is processed, nothing is granted', (_, asked, answered) => {
    const known = facts(mac);
    expect(reflected(asked, known, 'bad_mac')).toBe(answered);
    expect(known.grantedDscp).toBe(-1);
  });

  it('cannot be verified without a key, and is then as bad as a wrong one', () => {
    expect(reflected(text + requestMac(text), facts(null), 'bad_mac')).toBe(refusedText + flagged(requestMac(text)));
  });

  it('does not keep a malformed TLV before it from being refused as such; the rest stays as it came', () => {
    const bad = packed(`${COS} 80040003aabbcc`);
    expect(reflected(bad + requestMac(bad), facts(mac), 'malformed')).toBe(
      `00040004ba28000040040003aabbcc${requestMac(bad)}`,
    );
  });
});
