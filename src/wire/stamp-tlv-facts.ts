/** What a Session-Reflector knows and permits when it answers the TLVs of a request; filled anew for each packet. */

import type { IpFamily } from '../base/ip-address.ts';
import type { Stamp } from '../base/units.ts';
import type { PacketMac } from './packet-mac.ts';
import type { StampMode } from './stamp-mode.ts';
import { LOCATION_ADDRESS_BYTES, SYNC_SOURCES, TIMESTAMP_METHODS } from './stamp-tlv.ts';

const DSCP_VALUES = 64;

export interface TlvFacts {
  /** Of the session. Whoever has a key demands an HMAC TLV, in unauthenticated mode too. */
  mode: StampMode;
  mac: PacketMac | null;
  /** Sequence Number of the reply, which its HMAC TLV covers. */
  sequence: number;

  /** Of the received packet's IP and UDP headers. Of an address the first 4 or 16 octets count. */
  family: IpFamily;
  sourceAddress: Uint8Array;
  destinationAddress: Uint8Array;
  sourcePort: number;
  destinationPort: number;
  /** -1 where the host cannot tell; Class of Service is then not understood. */
  dscp: number;
  ecn: number;

  /** Local policy: not 0 for each DSCP that a sender may ask for (section 4.4), and whether Location is reported (4.2.2). */
  permittedDscp: Uint8Array;
  locationReported: boolean;

  /** Of the reflector's clock and stamps, as in `SYNC_SOURCES` and `TIMESTAMP_METHODS`. */
  syncSource: number;
  receiveMethod: number;
  transmitMethod: number;

  /** In-profile packets of the session, this one and its reply included (section 4.5). */
  packetsReceived: number;
  packetsSent: number;

  /** The session's previous reply: its Sequence Number and when it left. A stateless reflector knows of none (section 4.7). */
  previousKnown: boolean;
  previousSequence: number;
  previousSent: Stamp;
  previousMethod: number;

  /** Written by `reflectTlvs`: the DSCP that the reply was granted, -1 when it is sent with the received one. */
  grantedDscp: number;
}

/**
 * What became of a request's TLVs. 'none': it was a base packet. 'malformed': some were answered, then one had to have M
 * set. 'bad_mac': none was answered, all have I set.
 */
export type TlvVerdict = 'none' | 'answered' | 'malformed' | 'bad_mac';

/** Facts to be filled: no address, no counter, no previous reply, nothing permitted beyond the received DSCP. */
export function blankTlvFacts(mode: StampMode, mac: PacketMac | null): TlvFacts {
  return {
    mode,
    mac,
    sequence: 0,
    family: 'ipv4',
    sourceAddress: new Uint8Array(LOCATION_ADDRESS_BYTES),
    destinationAddress: new Uint8Array(LOCATION_ADDRESS_BYTES),
    sourcePort: 0,
    destinationPort: 0,
    dscp: -1,
    ecn: 0,
    permittedDscp: new Uint8Array(DSCP_VALUES),
    locationReported: true,
    syncSource: SYNC_SOURCES.local,
    receiveMethod: TIMESTAMP_METHODS.softwareLocal,
    transmitMethod: TIMESTAMP_METHODS.softwareLocal,
    packetsReceived: 0,
    packetsSent: 0,
    previousKnown: false,
    previousSequence: 0,
    previousSent: { seconds: 0, nanoseconds: 0 },
    previousMethod: TIMESTAMP_METHODS.softwareLocal,
    grantedDscp: -1,
  };
}
