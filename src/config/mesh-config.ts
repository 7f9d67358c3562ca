/** The mesh as the rest of the program knows it: which PoPs there are and which probes they send one another. */

export interface MeshConfig {
  readonly name: string;
  readonly windowS: number;
  /** A reply after this long is lost. */
  readonly tmaxMs: number;
  readonly pops: readonly MeshPop[];
  readonly probes: readonly ProbeClass[];
}

export interface MeshPop {
  readonly name: string;
  /** 1..4095, part of the STAMP session identifier. */
  readonly id: number;
  readonly ipv4: string;
  /** UDP port of this PoP's Session-Reflector. */
  readonly stampPort: number;
}

interface IcmpClass {
  readonly name: string;
  readonly kind: 'icmp';
  readonly intervalMs: number;
  /** Octets of ICMP payload. */
  readonly sizeBytes: number;
  readonly dscp: number;
}

interface StampClass {
  readonly name: string;
  readonly kind: 'stamp';
  readonly intervalMs: number;
  /** Octets of UDP payload. */
  readonly sizeBytes: number;
  readonly dscp: number;
  /** Flow f is sent from the UDP port `sourcePort + f`. */
  readonly flows: number;
  readonly sourcePort: number;
}

export type ProbeClass = IcmpClass | StampClass;
