/** The mesh as the rest of the program knows it: which PoPs there are and which probes they send one another. */

import type { IpFamily } from '../base/ip-address.ts';

/**
 * When probes are sent: at even intervals whose phase is random in each window (RFC 3432), or at random times (RFC 2330
 * section 11.1.3, method 3).
 */
export type Schedule = 'periodic' | 'poisson';

export interface MeshConfig {
  readonly name: string;
  readonly windowS: number;
  /** A reply after this long is lost. */
  readonly tmaxMs: number;
  readonly schedule: Schedule;
  readonly limits: MeshLimits;
  readonly pops: readonly MeshPop[];
  readonly probes: readonly ProbeClass[];
}

/** What the operator allows probing to cost; the mesh keeps within it. */
interface MeshLimits {
  readonly probesPerSecondPerPeer: number;
  readonly probesPerSecondPerAgent: number;
  /** Counted as IP packets, in one direction. */
  readonly bitsPerSecondPerPeer: number;
}

/** A PoP has an address of at least one family; it has the paths of those classes whose family it shares with a peer. */
export interface MeshPop {
  readonly name: string;
  /** 1..4095, part of the STAMP session identifier. */
  readonly id: number;
  readonly ipv4: string | null;
  /** In the spelling of RFC 5952. */
  readonly ipv6: string | null;
  /** UDP port of this PoP's Session-Reflector. */
  readonly stampPort: number;
  readonly reflector: ReflectorKind;
}

/** What answers STAMP packets at a PoP; `twamp_light` knows neither SSID nor TLVs and is not ours. */
type ReflectorKind = 'stateful' | 'stateless' | 'twamp_light';

interface IcmpClass {
  readonly name: string;
  readonly kind: 'icmp';
  readonly family: IpFamily;
  readonly intervalMs: number;
  /** Octets of ICMP payload. */
  readonly sizeBytes: number;
  readonly dscp: number;
}

interface StampClass {
  readonly name: string;
  readonly kind: 'stamp';
  readonly family: IpFamily;
  readonly intervalMs: number;
  /** Octets of UDP payload; what base packet and `tlvs` leave of it is one Extra Padding TLV. */
  readonly sizeBytes: number;
  readonly dscp: number;
  /** Flow f is sent from the UDP port `sourcePort + f`. */
  readonly flows: number;
  readonly sourcePort: number;
  /** Authenticated mode (RFC 8762 section 4.4); with TLVs, these are followed by an HMAC TLV (RFC 8972 section 4.8). */
  readonly authenticated: boolean;
  /** In the order in which they stand in the packet. */
  readonly tlvs: readonly StampTlv[];
}

/** TLVs of RFC 8972 section 4 that a class can carry. */
export type StampTlv =
  | 'class_of_service'
  | 'direct_measurement'
  | 'follow_up_telemetry'
  | 'timestamp_information'
  | 'location';

export type ProbeClass = IcmpClass | StampClass;
