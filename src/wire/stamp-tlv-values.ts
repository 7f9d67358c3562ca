/** What a Session-Sender can learn from the TLVs of a reply: one object, made once and filled again and again. */

import type { IpFamily } from '../base/ip-address.ts';
import type { Stamp } from '../base/units.ts';
import { LOCATION_ADDRESS_BYTES, TLV_TYPES } from './stamp-tlv.ts';

/**
 * Of one TLV in one reply. Its values count only when it is 'ok'. 'unrecognised': U was set, the reflector does not know
 * it. 'malformed': M was set, or its Length is impossible. 'discarded': integrity could not be established.
 */
export type TlvState = 'absent' | 'ok' | 'unrecognised' | 'malformed' | 'discarded';

/** An address that a reflector reported; IPv4 is the first 4 octets. Family null: not reported. */
export interface ReportedAddress {
  family: IpFamily | null;
  octets: Uint8Array;
}

export interface TlvValues {
  /** Ports and addresses of the request as it arrived: what differs from what was sent was translated on the way. */
  location: {
    state: TlvState;
    destinationPort: number;
    sourcePort: number;
    destination: ReportedAddress;
    source: ReportedAddress;
  };
  /** As in `SYNC_SOURCES` and `TIMESTAMP_METHODS`. */
  timestampInformation: {
    state: TlvState;
    syncSourceIn: number;
    methodIn: number;
    syncSourceOut: number;
    methodOut: number;
  };
  /** DSCP and ECN that the request arrived with; `reversePath` 0: the reply was sent with the DSCP asked for. */
  classOfService: { state: TlvState; dscp: number; ecn: number; reversePath: number };
  /** In-profile packets: S_TxC, R_RxC and R_TxC. */
  directMeasurement: { state: TlvState; senderSent: number; reflectorReceived: number; reflectorSent: number };
  /** The reflector's previous reply and when it left, in the format of this reply's Z bit; method 0: it knows of none. */
  followUpTelemetry: { state: TlvState; sequence: number; sent: Stamp; method: number };
}

export function blankTlvValues(): TlvValues {
  return {
    location: { state: 'absent', destinationPort: 0, sourcePort: 0, destination: noAddress(), source: noAddress() },
    timestampInformation: { state: 'absent', syncSourceIn: 0, methodIn: 0, syncSourceOut: 0, methodOut: 0 },
    classOfService: { state: 'absent', dscp: 0, ecn: 0, reversePath: 0 },
    directMeasurement: { state: 'absent', senderSent: 0, reflectorReceived: 0, reflectorSent: 0 },
    followUpTelemetry: { state: 'absent', sequence: 0, sent: { seconds: 0, nanoseconds: 0 }, method: 0 },
  };
}

/** Makes every TLV absent; values that are left over do not count. */
export function forgetTlvValues(values: TlvValues): void {
  values.location.state = 'absent';
  values.timestampInformation.state = 'absent';
  values.classOfService.state = 'absent';
  values.directMeasurement.state = 'absent';
  values.followUpTelemetry.state = 'absent';
}

/** The values that a type of TLV has, null for one that has none. */
export function tlvValuesOf(values: TlvValues, type: number): { state: TlvState } | null {
  switch (type) {
    case TLV_TYPES.location:
      return values.location;
    case TLV_TYPES.timestampInformation:
      return values.timestampInformation;
    case TLV_TYPES.classOfService:
      return values.classOfService;
    case TLV_TYPES.directMeasurement:
      return values.directMeasurement;
    case TLV_TYPES.followUpTelemetry:
      return values.followUpTelemetry;
    default:
      return null;
  }
}

function noAddress(): ReportedAddress {
  return { family: null, octets: new Uint8Array(LOCATION_ADDRESS_BYTES) };
}
