/** What a sender takes from the TLVs of a reply, assembled by hand from RFC 8972; every HMAC here is computed by Node.js. */

import { describe, expect, it } from 'vitest';
import type { PacketMac } from '../../src/wire/packet-mac.ts';
import { AUTHENTICATED, UNAUTHENTICATED } from '../../src/wire/stamp-mode.ts';
import { readReplyTlvs, type TlvReading } from '../../src/wire/stamp-tlv-reply.ts';
import { blankTlvValues, type TlvState, type TlvValues } from '../../src/wire/stamp-tlv-values.ts';
import { fromHex, viewOf } from './bytes.ts';
import { nodeMac, plainMac, VECTOR_KEY } from './node-mac.ts';

const SEQUENCE = '0000002a';
const zeros = (octets: number) => '00'.repeat(octets);
const mac = nodeMac(VECTOR_KEY);
const macTlv = (tlvs: string) => `00080010${plainMac(VECTOR_KEY, SEQUENCE, tlvs)}`;

/** DSCP1 46, arrived with DSCP 34 and ECN 2, granted. */
const COS = '00040004ba280000';
const DIRECT = '0005000c0000000901020304fffffffe';
const FOLLOW_UP = '0007001000000029e8fe6f808000000002000000';
const STAMPS = '0003000401020403';
const LOCATION = `0002002c035ec35100050010c6336407${zeros(12)}00080010c0000201${zeros(12)}`;

/** Reads a reply with these TLVs into `values`, which is already full of another reply's unless it is handed in. */
function read(
  tlvs: string,
  key: PacketMac | null,
  values = read.full(),
  errorEstimate = '8f84',
): [TlvReading, TlvValues] {
  const octets = fromHex(`ee${SEQUENCE}${zeros(8)}${errorEstimate}${zeros(30)}${tlvs}`);
  const reading = readReplyTlvs(viewOf(octets), 1, octets.length - 1, UNAUTHENTICATED, key, values);
  return [reading, values];
}
read.full = (): TlvValues => {
  const values = blankTlvValues();
  read(LOCATION.replace('0005', '0006') + STAMPS + COS + DIRECT + FOLLOW_UP, null, values);
  return values;
};

function states(values: TlvValues): Record<keyof TlvValues, TlvState> {
  return {
    location: values.location.state,
    timestampInformation: values.timestampInformation.state,
    classOfService: values.classOfService.state,
    directMeasurement: values.directMeasurement.state,
    followUpTelemetry: values.followUpTelemetry.state,
  };
}

const ABSENT = states(blankTlvValues());

describe('the values of a reply', () => {
  it('are those of each TLV', () => {
    const [reading, values] = read(LOCATION + STAMPS + COS + DIRECT + FOLLOW_UP, null);
    expect(reading).toBe('ok');
    expect(values).toEqual({
      location: {
        state: 'ok',
        destinationPort: 862,
        sourcePort: 50_001,
        destination: { family: 'ipv4', octets: fromHex(`c6336407${zeros(12)}`) },
        source: { family: 'ipv4', octets: fromHex(`c0000201${zeros(12)}`) },
      },
      timestampInformation: { state: 'ok', syncSourceIn: 1, methodIn: 2, syncSourceOut: 4, methodOut: 3 },
      classOfService: { state: 'ok', dscp: 34, ecn: 2, reversePath: 0 },
      directMeasurement: { state: 'ok', senderSent: 9, reflectorReceived: 0x0102_0304, reflectorSent: 0xffff_fffe },
      followUpTelemetry: {
        state: 'ok',
        sequence: 0x29,
        sent: { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
        method: 2,
      },
    });
  });

  it('say when the reverse path was not granted', () => {
    expect(read('00040004b6290000', null)[1].classOfService).toEqual({ state: 'ok', dscp: 34, ecn: 2, reversePath: 1 });
  });

  it('hold IPv6 addresses too, and none where a sub-TLV was not understood or is malformed', () => {
    const address = `20010db8${zeros(11)}02`;
    const [, values] = read(`0002002c035ec35100060010${address}00090010${address}`, null);
    expect(values.location.destination).toEqual({ family: 'ipv6', octets: fromHex(address) });
    expect(values.location.source).toEqual({ family: 'ipv6', octets: fromHex(address) });
    const [, unknown] = read(`0002002c035ec35180040010${zeros(16)}00080010c0000201${zeros(12)}`, null);
    expect(unknown.location).toMatchObject({ state: 'ok', destination: { family: null }, source: { family: 'ipv4' } });
    const [, cut] = read(`0002002c035ec35140060010${address}00090010${address}`, null);
    expect(cut.location).toMatchObject({ state: 'ok', destination: { family: null }, source: { family: null } });
  });

  it('read a Follow-Up Timestamp in the format of the reply’s Z bit, and refuse an impossible one', () => {
    const [, values] = read('00070010000000296553f125000000ff02000000', null, blankTlvValues(), 'cf84');
    expect(values.followUpTelemetry.sent).toEqual({ seconds: 0x6553f125, nanoseconds: 255 });
    const [, impossible] = read('00070010000000296553f125ffffffff02000000', null, blankTlvValues(), 'cf84');
    expect(impossible.followUpTelemetry.state).toBe('malformed');
  });

  it('are absent in a base packet, and in one that is shorter', () => {
    expect(read('', null)).toEqual(['none', expect.anything()]);
    expect(states(read('', null)[1])).toEqual(ABSENT);
    const short = viewOf(fromHex(zeros(41)));
    expect(readReplyTlvs(short, 0, 41, UNAUTHENTICATED, null, blankTlvValues())).toBe('none');
  });

  it('are the first ones of a type that comes twice', () => {
    expect(read(`00040004b6290000${COS}`, null)[1].classOfService.reversePath).toBe(1);
  });

  it('stand 112 octets from the start in authenticated mode', () => {
    const octets = fromHex(`${SEQUENCE}${zeros(108)}${COS}${macTlv(COS)}`);
    const values = blankTlvValues();
    expect(readReplyTlvs(viewOf(octets), 0, octets.length, AUTHENTICATED, mac, values)).toBe('ok');
    expect(values.classOfService).toMatchObject({ state: 'ok', dscp: 34 });
  });
});

describe('the flags of a reply', () => {
  it('U: the TLV is skipped, the others count', () => {
    const [reading, values] = read(`80${STAMPS.slice(2)}${COS}`, null);
    expect(reading).toBe('ok');
    expect(states(values)).toEqual({ ...ABSENT, timestampInformation: 'unrecognised', classOfService: 'ok' });
  });

  it('M: reading stops there, what was before counts', () => {
    const [reading, values] = read(`${STAMPS}40${COS.slice(2)}${DIRECT}`, null);
    expect(reading).toBe('malformed');
    expect(states(values)).toEqual({ ...ABSENT, timestampInformation: 'ok', classOfService: 'malformed' });
  });

  it('M: nothing behind it is taken for a flag', () => {
    expect(read(`${STAMPS}40${COS.slice(2)}20c80000`, null)[0]).toBe('malformed');
  });

  it('an impossible Length stops reading too', () => {
    const [reading, values] = read(`${STAMPS}00040003ba2800${DIRECT}`, null);
    expect(reading).toBe('malformed');
    expect(states(values)).toEqual({ ...ABSENT, timestampInformation: 'ok', classOfService: 'malformed' });
  });

  it.each([
    ['first', `20${STAMPS.slice(2)}${COS}`],
    ['last', `${STAMPS}20${COS.slice(2)}`],
    ['in a TLV of no interest', `${STAMPS}${COS}a0c80000`],
  ])('I, %s: no value is used', (_, tlvs) => {
    for (const key of [null, mac]) {
      const [reading, values] = read(tlvs, key);
      expect(reading).toBe('refused');
      expect(states(values)).toEqual({ ...ABSENT, timestampInformation: 'discarded', classOfService: 'discarded' });
    }
  });
});

describe('the HMAC of a reply', () => {
  it('is verified over the reply’s own sequence number; padding may follow', () => {
    const [reading, values] = read(`${COS}${macTlv(COS)}00010003abcdef`, mac);
    expect(reading).toBe('ok');
    expect(states(values)).toEqual({ ...ABSENT, classOfService: 'ok' });
  });

  it.each([
    ['missing', COS + STAMPS],
    ['wrong', `${COS}${STAMPS}${macTlv(COS)}`],
    ['followed by another TLV', `${COS}${macTlv(COS)}${STAMPS}`],
  ])('is %s: no value is used', (_, tlvs) => {
    const [reading, values] = read(tlvs, mac);
    expect(reading).toBe('bad_mac');
    expect(states(values)).toEqual({ ...ABSENT, timestampInformation: 'discarded', classOfService: 'discarded' });
  });

  it('is not asked for where the request had none', () => {
    expect(read(`${COS}${macTlv(STAMPS)}`, null)[0]).toBe('ok');
  });
});

describe('a TWAMP Light reflector', () => {
  const request = `80${COS.slice(2)}80${DIRECT.slice(2)}80080010${plainMac(VECTOR_KEY, '00000001', COS)}80010004${zeros(4)}`;

  it('gives everything back with U set: nothing is learnt, and nobody has tampered with anything', () => {
    const [reading, values] = read(request, mac);
    expect(reading).toBe('ok');
    expect(states(values)).toEqual({ ...ABSENT, classOfService: 'unrecognised', directMeasurement: 'unrecognised' });
  });

  it('may cut the reply anywhere: what is whole is read, and no length is an error', () => {
    const tlvs = COS + DIRECT;
    for (let octets = 0; octets <= tlvs.length / 2; octets += 1) {
      const [reading, values] = read(tlvs.slice(0, 2 * octets), null);
      expect(values.classOfService.state).toBe(octets >= 8 ? 'ok' : 'absent');
      expect(values.directMeasurement.state).toBe(octets >= 24 ? 'ok' : 'absent');
      const whole = octets === 8 || octets === 24 ? 'ok' : 'truncated';
      expect(reading).toBe(octets === 0 ? 'none' : whole);
    }
  });

  it('that cuts the HMAC off leaves nothing that may be used', () => {
    const [reading, values] = read(`${COS}${macTlv(COS).slice(0, 20)}`, mac);
    expect(reading).toBe('truncated');
    expect(values.classOfService.state).toBe('discarded');
  });
});
