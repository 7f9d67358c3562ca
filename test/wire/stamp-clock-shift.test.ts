/** Clocks moved in packets under way: against packets that Linux sent with the other time, and by big integers. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blankIpPacket, parseIpPacket } from '../../src/wire/ip-packet.ts';
import { blankProbeMark, readProbeMark } from '../../src/wire/probe-mark.ts';
import { blankReflectorPacket, decodeReflectorPacket, encodeReflectorPacket } from '../../src/wire/stamp.ts';
import { shiftStampClock } from '../../src/wire/stamp-clock-shift.ts';
import { toHex, viewOf } from './bytes.ts';
import { FAMILIES, icmpPacket, udpPacket } from './ip-octets.ts';
import { LINUX_REQUESTS, linuxRequest } from './linux-packets.ts';
import { plainTransportChecksum } from './plain-checksum.ts';

const PORT = 862;
const SENDER = 40_000;
const S = 1_000_000_000;

function shifted(octets: Uint8Array, fromOffsetNs: number, toOffsetNs = 0): Uint8Array {
  const copy = Uint8Array.from(octets);
  const view = viewOf(copy);
  const [packet, mark] = [blankIpPacket(), blankProbeMark()];
  expect(parseIpPacket(view, 0, copy.length, packet)).toBe('ok');
  readProbeMark(view, packet, (port) => port === PORT, mark);
  shiftStampClock(view, packet, mark, fromOffsetNs, toOffsetNs);
  return copy;
}

/** The UDP data of a packet without options. */
function data(octets: Uint8Array): string {
  return toHex(octets.subarray((octets[0] ?? 0) === 0x45 ? 28 : 48));
}

interface Stamps {
  t1?: string;
  t2?: string;
  t3?: string;
  estimate?: string;
  senderEstimate?: string;
}

const requestData = ({ t1 = 'e8fe6f8080000000', estimate = '8f84' }: Stamps = {}): string =>
  `00000001${t1}${estimate}1234${'00'.repeat(28)}`;

const replyData = (stamps: Stamps = {}): string =>
  `00000007${stamps.t3 ?? 'e8fe6f81e0000000'}${stamps.estimate ?? '9980'}1234${stamps.t2 ?? 'e8fe6f81d0000000'}
   00000001${stamps.t1 ?? 'e8fe6f8080000000'}${stamps.senderEstimate ?? '8f84'}0000fe000000`.replaceAll(/\s/g, '');

/** Follow-Up Telemetry as a reflector answers it: sequence 6, then when that one left, by a kernel's stamp. */
const followUp = (sent: string, mode = '02'): string => `0007001000000006${sent}${mode}000000`;

const reply = (stamps: Stamps = {}, tlvs = ''): Uint8Array => udpPacket('ipv4', PORT, SENDER, replyData(stamps) + tlvs);

/** An NTP timestamp `ns` later, by integers of any size. */
function later(ntp: string, ns: number): string {
  const fixed = (BigInt(ns) * 2n ** 32n) / BigInt(S);
  // Division rounds towards zero, the fixed point number downwards.
  const floor = fixed * BigInt(S) > BigInt(ns) * 2n ** 32n ? fixed - 1n : fixed;
  return BigInt.asUintN(64, BigInt(`0x${ntp}`) + floor)
    .toString(16)
    .padStart(16, '0');
}

describe.each(FAMILIES)('a request, %s', (family) => {
  it.each(LINUX_REQUESTS)('is what Linux sent $laterNs ns later, UDP checksum and all', (recorded) => {
    expect(toHex(shifted(linuxRequest(family), recorded.laterNs))).toBe(toHex(recorded[family]));
  });

  it('keeps a right checksum, whatever it is, and none stays none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.integer({ min: -5 * S, max: 5 * S }), (t1, ns) => {
        const octets = udpPacket(family, SENDER, PORT, requestData({ t1: toHex(t1) }));
        const found = shifted(octets, ns);
        expect(plainTransportChecksum(found)).toBe(0);
        const at = octets.length - 44 - 2;
        expect(viewOf(found).getUint16(at)).not.toBe(0);
        viewOf(octets).setUint16(at, 0);
        expect(viewOf(shifted(octets, ns)).getUint16(at)).toBe(0);
      }),
    );
  });
});

describe('a checksum', () => {
  it('that comes out as 0 is written as ffff', () => {
    const octets = linuxRequest('ipv4');
    const view = viewOf(octets);
    view.setUint16(26, 0);
    // A word among the MBZ octets that brings the sum of the packet a second later to all ones.
    view.setUint16(28 + 16, plainTransportChecksum(shifted(octets, S)));
    view.setUint16(26, plainTransportChecksum(octets));
    expect(viewOf(shifted(octets, S)).getUint16(26)).toBe(0xffff);
  });
});

describe('a reply', () => {
  it('has T2 and T3 of the clock that is ahead, and the T1 that its sender wrote', () => {
    const octets = shifted(reply(), 1.5 * S, 0.25 * S);
    expect(data(octets)).toBe(replyData({ t3: 'e8fe6f8360000000', t2: 'e8fe6f8350000000', t1: 'e8fe6f8040000000' }));
    expect(plainTransportChecksum(octets)).toBe(0);
  });

  it('brings T1 back bit by bit, however both clocks are wrong, and moves T2 and T3 by as much as integers do', () => {
    const instant = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(toHex);
    const offset = fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 });
    fc.assert(
      fc.property(instant, instant, instant, offset, offset, (t1, t2, t3, senderNs, reflectorNs) => {
        const arrived = data(shifted(udpPacket('ipv6', SENDER, PORT, requestData({ t1 })), senderNs, reflectorNs));
        expect(arrived).toBe(requestData({ t1: later(t1, senderNs) }));
        const back = udpPacket('ipv6', PORT, SENDER, replyData({ t1: arrived.slice(8, 24), t2, t3 }));
        const octets = shifted(back, reflectorNs, senderNs);
        expect(data(octets)).toBe(replyData({ t1, t2: later(t2, reflectorNs), t3: later(t3, reflectorNs) }));
        expect(plainTransportChecksum(octets)).toBe(0);
      }),
    );
  });

  it('goes through the wrap of 2036 and back', () => {
    const request = shifted(udpPacket('ipv4', SENDER, PORT, requestData({ t1: 'ffffffffc0000000' })), S / 2);
    expect(data(request)).toBe(requestData({ t1: '0000000040000000' }));
    expect(data(shifted(reply({ t1: '0000000040000000' }), 0, S / 2))).toBe(replyData({ t1: 'ffffffffc0000000' }));
  });

  it('is read by the sender with the delay that the network had, and one-way delays that the clocks falsify', () => {
    const [senderNs, reflectorNs] = [-7_000_003, 250_000_019];
    const arrived = shifted(linuxRequest('ipv4'), senderNs, reflectorNs);
    const answer = new Uint8Array(44);
    const t2 = { seconds: 1_700_000_000, nanoseconds: 530_000_000 };
    const t3 = { seconds: 1_700_000_000, nanoseconds: 530_040_000 };
    const own = { sequence: 7, t2, t3, errorEstimate: 0x9980, senderTtl: 61 };
    encodeReflectorPacket(viewOf(answer), 0, viewOf(arrived), 28, own);
    const octets = shifted(udpPacket('ipv4', PORT, SENDER, toHex(answer)), reflectorNs, senderNs);
    const into = blankReflectorPacket();
    expect(decodeReflectorPacket(viewOf(octets), 28, 44, into)).toBe('ok');
    expect(into).toMatchObject({ senderSequence: 1, senderT1: { seconds: 1_700_000_000, nanoseconds: 500_000_000 } });
    expect(into.t2).toEqual({ seconds: 1_700_000_000, nanoseconds: 780_000_019 });
    expect(into.t3).toEqual({ seconds: 1_700_000_000, nanoseconds: 780_040_019 });
  });
});

describe('a PTP timestamp', () => {
  const ptp = { estimate: 'cf84', senderEstimate: 'cf84' };

  it('is moved in its own units, with the carry that decimal seconds have', () => {
    const t1 = (ns: number, found = '6553f1253b9ac9ff'): string =>
      data(shifted(udpPacket('ipv4', SENDER, PORT, requestData({ t1: found, ...ptp })), ns)).slice(8, 24);
    expect(t1(1)).toBe('6553f12600000000');
    expect(t1(3 * S - 1)).toBe('6553f1283b9ac9fe');
    expect(t1(-S)).toBe('6553f1243b9ac9ff');
    expect(t1(-1, '6553f12500000000')).toBe('6553f1243b9ac9ff');
    expect(t1(-1, '0000000000000000')).toBe('ffffffff3b9ac9ff');
  });

  it('comes back to its sender as it was, though the reflector speaks NTP', () => {
    const nanoseconds = fc.integer({ min: 0, max: S - 1 });
    fc.assert(
      fc.property(nanoseconds, fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }), (ns, offsetNs) => {
        const t1 = `6553f125${ns.toString(16).padStart(8, '0')}`;
        const arrived = data(shifted(udpPacket('ipv4', SENDER, PORT, requestData({ t1, estimate: 'cf84' })), offsetNs));
        const back = reply({ t1: arrived.slice(8, 24), senderEstimate: 'cf84' });
        expect(data(shifted(back, 0, offsetNs))).toBe(replyData({ t1, senderEstimate: 'cf84' }));
      }),
    );
  });

  it('is left alone where it is none, so that the receiver sees it', () => {
    const impossible = { t1: '6553f1253b9aca00', t2: '6553f125ffffffff', t3: '6553f1253b9aca01', ...ptp };
    expect(data(shifted(reply(impossible), 5, 7))).toBe(replyData(impossible));
  });
});

describe('Follow-Up Telemetry', () => {
  it('moves with the T3 that it is compared with, also across the words of the checksum', () => {
    for (const padding of ['', '0001000100', '0001000200ff']) {
      const octets = shifted(reply({}, padding + followUp('e8fe6f7fc0000000')), 1.25 * S);
      expect(data(octets).slice(88)).toBe(padding + followUp('e8fe6f8100000000'));
      expect(plainTransportChecksum(octets)).toBe(0);
      const odd = shifted(reply({}, `${padding}${followUp('e8fe6f7fc0000000')}00010001aa`), -1.25 * S);
      expect(plainTransportChecksum(odd)).toBe(0);
    }
  });

  it.each([
    ['tells of no packet', followUp('0000000000000000', '00')],
    ['was not understood', followUp('e8fe6f7fc0000000').replace('0007', '8007')],
    ['was not verified', followUp('e8fe6f7fc0000000').replace('0007', '2007')],
    ['stands behind a malformed TLV', `4004000400000000${followUp('e8fe6f7fc0000000')}`],
    ['is cut off', followUp('e8fe6f7fc0000000').slice(0, -2)],
    ['is not as long as it must be', `0007000c00000006e8fe6f7fc0000000`],
    ['is protected by an HMAC', `${followUp('e8fe6f7fc0000000')}00080010${'5a'.repeat(16)}`],
  ])('is left alone where it %s', (_, tlvs) => {
    const octets = shifted(reply({}, tlvs), 1.25 * S);
    expect(data(octets).slice(88)).toBe(tlvs);
    expect(data(octets).slice(8, 24)).toBe('e8fe6f8320000000');
  });

  it('is not looked for in a request', () => {
    const octets = udpPacket('ipv4', SENDER, PORT, requestData() + followUp('e8fe6f7fc0000000'));
    expect(data(shifted(octets, S)).slice(88)).toBe(followUp('e8fe6f7fc0000000'));
  });
});

describe('nothing is changed', () => {
  const authenticated = `01020304${'00'.repeat(12)}e8fe6f80800000008f841234${'00'.repeat(68)}${'5a'.repeat(16)}`;
  it.each([
    ['in an authenticated request', udpPacket('ipv4', SENDER, PORT, authenticated)],
    ['in an authenticated reply', udpPacket('ipv6', PORT, SENDER, authenticated)],
    ['in other datagrams', udpPacket('ipv4', 53, SENDER, replyData())],
    ['in an echo', icmpPacket('ipv4', 0, `70010203506f5070cafef00d0201abcd000102036553f100075bcd15`)],
  ])('%s', (_, octets) => {
    expect(toHex(shifted(octets, S, -S))).toBe(toHex(octets));
  });

  it('by clocks that are right', () => {
    expect(toHex(shifted(reply({}, followUp('e8fe6f7fc0000000')), 0, 0))).toBe(
      toHex(reply({}, followUp('e8fe6f7fc0000000'))),
    );
  });
});
