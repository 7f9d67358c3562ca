/** The TLVs of a request against the vector of the standards reference and octets by hand from RFC 8972. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUTHENTICATED, UNAUTHENTICATED } from '../../src/wire/stamp-mode.ts';
import {
  layOutTlvs,
  TLV_NAMES,
  type TlvLayout,
  type TlvOptions,
  tlvPacketBytesMin,
  writeTlvFields,
  writeTlvTemplate,
} from '../../src/wire/stamp-tlv-layout.ts';
import { fromHex, toHex, viewOf } from './bytes.ts';
import { nodeMac, plainMac, VECTOR_KEY } from './node-mac.ts';

const BASE = `00000001e8fe6f80800000008f841234${'00'.repeat(28)}`;
const PLAIN: TlvOptions = {
  mode: UNAUTHENTICATED,
  names: [],
  replyDscp: 46,
  protect: false,
  paddingSeed: null,
};
const packed = (hex: string) => hex.replaceAll(/\s/g, '');

function layout(options: Partial<TlvOptions>, sizeBytes?: number): TlvLayout {
  const whole = { ...PLAIN, ...options };
  const result = layOutTlvs(whole, sizeBytes ?? tlvPacketBytesMin(whole));
  if (!result) throw new Error('no such layout');
  return result;
}

/** What a sender writes behind the base packet, over leftovers. */
function written(tlvs: TlvLayout, packetsSent = 0): string {
  const octets = new Uint8Array(tlvs.sizeBytes + 4).fill(0xff);
  const base = tlvs.baseBytes === 44 ? BASE : `00000001${'00'.repeat(108)}`;
  octets.set(fromHex(base), 2);
  writeTlvTemplate(viewOf(octets), 2, tlvs);
  writeTlvFields(viewOf(octets), 2, tlvs, packetsSent, nodeMac(VECTOR_KEY));
  const hex = toHex(octets);
  expect(hex.startsWith(`ffff${base}`)).toBe(true);
  expect(hex.endsWith('ffff')).toBe(true);
  return hex.slice(4 + base.length, -4);
}

describe('the TLVs of a request', () => {
  it('are the vector: Class of Service with DSCP1 46, and its HMAC', () => {
    const tlvs = layout({ names: ['class_of_service'], protect: true });
    expect(tlvs.sizeBytes).toBe(72);
    expect(written(tlvs)).toBe('80040004b800000080080010b6ba3e74ddb7a04bb4b142f70c11b7b5');
  });

  it('are all there in the order of the packet, U set in each, everything zero that a reflector fills', () => {
    const tlvs = layout({ names: [...TLV_NAMES].toReversed(), protect: true }, 44 + 120 + 10);
    const text = packed(
      `80020 02c 0000 0000 80040010 ${'00'.repeat(16)} 80070010 ${'00'.repeat(16)}
       80030004 00000000
       80040004 b8000000
       8005000c 00abcdef 00000000 00000000
       80070010 ${'00'.repeat(16)}`,
    );
    expect(written(tlvs, 0xabcdef)).toBe(
      `${text}80080010${plainMac(VECTOR_KEY, '00000001', text)}80010006${'00'.repeat(6)}`,
    );
  });

  it('are what scapy 2.7.0 writes (scapy.contrib.stamp; flags as a number, its names count from the other end)', () => {
    const scapy = packed(
      `8002002c0000000080040010000000000000000000000000000000008007001000000000000000000000000000000000
       800300040000000080040004b80000008005000c00abcdef000000000000000080070010000000000000000000000000
       0000000080010006000000000000`,
    );
    expect(written(layout({ names: TLV_NAMES }, 44 + 100 + 10), 0xabcdef)).toBe(scapy);
  });

  it('have the sizes that a configuration must know', () => {
    const size = (names: TlvOptions['names']) => tlvPacketBytesMin({ ...PLAIN, names }) - 44;
    expect(size(['class_of_service'])).toBe(8);
    expect(size(['direct_measurement'])).toBe(16);
    expect(size(['follow_up_telemetry'])).toBe(20);
    expect(size(['timestamp_information'])).toBe(8);
    expect(size(['location'])).toBe(48);
    expect(size(['location', 'location'])).toBe(48);
    expect(tlvPacketBytesMin({ ...PLAIN, names: ['location'], protect: true })).toBe(44 + 48 + 20);
  });

  it('have an HMAC in authenticated mode, unless Extra Padding is all there is (section 4.8)', () => {
    expect(layout({ mode: AUTHENTICATED, names: ['class_of_service'] }).hmacAt).toBe(120);
    expect(layout({ mode: AUTHENTICATED }, 200).hmacAt).toBe(-1);
    expect(layout({ mode: UNAUTHENTICATED, protect: true }, 200).hmacAt).toBe(-1);
    expect(written(layout({ mode: AUTHENTICATED, names: ['class_of_service'] }))).toBe(
      `80040004b800000080080010${plainMac(VECTOR_KEY, '00000001', '80040004b8000000')}`,
    );
  });

  it('end with Extra Padding, zero or pseudorandom as the session wants it', () => {
    expect(written(layout({}, 44))).toBe('');
    expect(written(layout({}, 48))).toBe('80010000');
    expect(written(layout({}, 52))).toBe('8001000400000000');
    const padding = written(layout({ paddingSeed: 7 }, 44 + 4 + 256));
    expect(padding.slice(0, 8)).toBe('80010100');
    expect(new Set(fromHex(padding.slice(8))).size).toBeGreaterThan(100);
    expect(written(layout({ paddingSeed: 7 }, 304))).toBe(padding);
    expect(written(layout({ paddingSeed: 8 }, 304))).not.toBe(padding);
  });

  it('fill exactly the size asked for, and only a size that leaves no room for a padding header is refused', () => {
    const names = fc.uniqueArray(fc.constantFrom(...TLV_NAMES));
    const modes = fc.constantFrom(UNAUTHENTICATED, AUTHENTICATED);
    fc.assert(
      fc.property(names, modes, fc.boolean(), fc.integer({ min: -5, max: 300 }), (chosen, mode, protect, spare) => {
        const options = { ...PLAIN, names: chosen, mode, protect };
        const sizeBytes = tlvPacketBytesMin(options) + spare;
        const result = layOutTlvs(options, sizeBytes);
        const impossible = spare < 0 || (spare > 0 && spare < 4);
        expect(result && written(result).length).toBe(impossible ? null : 2 * (sizeBytes - mode.baseBytes));
      }),
    );
  });
});
