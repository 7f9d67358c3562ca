/** Valid packets to start from: what a fuzzer that only draws octets would not find in years. */

import { blankEchoProbe, encodeEchoRequest, ICMP_HEADER_BYTES } from '../../src/wire/icmp-echo.ts';
import { UNSYNCHRONISED_ESTIMATE } from '../../src/wire/error-estimate.ts';
import { encodeReflectorPacket, encodeSenderPacket, STAMP_BASE_BYTES } from '../../src/wire/stamp.ts';

/** The session in all ICMP templates. */
export const ECHO_SESSION = 0x66757a7a;

/** Octets of a TLV's flags, type and length (RFC 8972 section 4). */
const TLV_HEADER_BYTES = 4;
/** The U flag: a Session-Sender sets it, the reflector that knows the type clears it. */
const TLV_UNRECOGNISED = 0x80;
/** Extra Padding, Location, Timestamp Information, Class of Service, Direct Measurement, Access Report, Follow-Up, HMAC. */
const TLV_LENGTHS = { 1: 32, 2: 16, 3: 4, 4: 4, 5: 12, 6: 4, 7: 16, 8: 16 } as const;

const T1 = { seconds: 1_700_000_000, nanoseconds: 123_456_789 };
const T2 = { seconds: 1_700_000_000, nanoseconds: 123_999_999 };
const T3 = { seconds: 1_700_000_000, nanoseconds: 124_000_000 };

/** Session-Sender packets of the sessions 1 to `sessions`: bare, with one TLV of each type, and with all of them. */
export function senderTemplates(sessions: number): Uint8Array[] {
  const tlvs = Object.entries(TLV_LENGTHS).map(([type, length]) => tlv(Number(type), length));
  const tails = [new Uint8Array(0), ...tlvs, Uint8Array.from(tlvs.flatMap((one) => [...one]))];
  return Array.from({ length: sessions }, (_, session) => session + 1).flatMap((ssid) =>
    tails.map((tail) => Uint8Array.from([...senderPacket(ssid), ...tail])),
  );
}

/** What a Session-Sender may get back. */
export function reflectorTemplates(): Uint8Array[] {
  return senderTemplates(1).map((request) => {
    const reply = Uint8Array.from(request);
    const fields = { sequence: 1, t2: T2, t3: T3, errorEstimate: UNSYNCHRONISED_ESTIMATE, senderTtl: 255 };
    encodeReflectorPacket(viewOf(reply), 0, viewOf(request), 0, fields);
    return reply;
  });
}

/** Echo requests as a router quotes them, and the replies to them, with small and usual payloads. */
export function echoTemplates(): Uint8Array[] {
  return [24, 25, 56].flatMap((payloadBytes) => {
    const request = new Uint8Array(ICMP_HEADER_BYTES + payloadBytes);
    const probe = { ...blankEchoProbe(), identifier: 1, session: ECHO_SESSION, path: 2, sequence: 70_000, t1: T1 };
    encodeEchoRequest(viewOf(request), 0, payloadBytes, probe);
    const reply = Uint8Array.from(request);
    reply[0] = 0;
    // The type octet has lost 8, the checksum's first octet gains it (RFC 1624).
    reply[2] = (request[2] ?? 0) + 8;
    return [request, reply];
  });
}

function senderPacket(ssid: number): Uint8Array {
  const packet = new Uint8Array(STAMP_BASE_BYTES);
  encodeSenderPacket(viewOf(packet), 0, { sequence: ssid, t1: T1, errorEstimate: UNSYNCHRONISED_ESTIMATE, ssid });
  return packet;
}

function tlv(type: number, length: number): Uint8Array {
  const octets = new Uint8Array(TLV_HEADER_BYTES + length);
  octets[0] = TLV_UNRECOGNISED;
  octets[1] = type;
  viewOf(octets).setUint16(2, length);
  return octets;
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}
