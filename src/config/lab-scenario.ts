/** An emulated backbone as the lab knows it: hosts with addresses, what every direction between them does, and when. */

import type { MeshFile } from './mesh-schema.ts';

export interface LabScenario {
  readonly name: string;
  /** The same seed makes the same decisions for the same packets. */
  readonly seed: number;
  /** What the agents get as their mesh.yaml: names, addresses and probes of the PoPs. */
  readonly mesh: MeshFile;
  /** The PoPs in the order of `mesh.pops`, and the collector as the last one. */
  readonly hosts: readonly LabHost[];
  /** Every ordered pair of hosts, sorted by `from`, then `to`. */
  readonly directions: readonly LabDirection[];
  /** Sorted by `startS`. */
  readonly events: readonly LabEvent[];
}

export interface LabHost {
  readonly name: string;
  /** 198.18.N.1 and 2001:db8:N::1, N from 1 for the PoPs and 255 for the collector; null for a family it does not have. */
  readonly ipv4: string | null;
  readonly ipv6: string | null;
  /** How far this host's clock is ahead of true time, as its peers see it in its STAMP packets. */
  readonly clockOffsetNs: number;
}

/** One way between two hosts, by their places in `hosts`. */
export interface LabDirection {
  readonly from: number;
  readonly to: number;
  /** Members of its ECMP group, one at least; a hash over addresses and ports picks one. */
  readonly members: readonly LinkBehaviour[];
}

/** What a member of a direction does to packets. Ratios are from 0 to 1. */
export interface LinkBehaviour {
  /** Delay without spread and jitter; for a rate, after the packet has left the queue. */
  readonly delayNs: number;
  /** How `spreadNs` is added: not at all, with this standard deviation (never below zero delay), or with this mean (shape 3). */
  readonly distribution: 'fixed' | 'normal' | 'pareto';
  readonly spreadNs: number;
  /** Uniform from 0 to this, added. */
  readonly jitterNs: number;
  /** Independent loss. */
  readonly loss: number;
  /** Loss in bursts: a Gilbert-Elliott chain that steps with every packet. */
  readonly bursts: {
    readonly toBad: number;
    readonly toGood: number;
    readonly lossGood: number;
    readonly lossBad: number;
  } | null;
  readonly duplicate: number;
  /** Reordered packets take this much longer, and are overtaken; all others keep their order. */
  readonly reorder: { readonly ratio: number; readonly byNs: number } | null;
  /** One bit behind the IP header is flipped. */
  readonly corrupt: number;
  /** A packet that would wait longer than `queueNs` for the line is dropped. */
  readonly rate: { readonly bitsPerSecond: number; readonly queueNs: number } | null;
  /** Larger IP packets are answered with an ICMP error, or vanish when it is a black hole. */
  readonly mtu: { readonly bytes: number; readonly blackHole: boolean } | null;
  /** Routers on the way: each takes one from the TTL, and answers when nothing is left. */
  readonly hops: number;
}

/** Something that happens, in seconds since the network came up. */
export interface LabEvent {
  readonly startS: number;
  /** Infinity when it stays. */
  readonly endS: number;
  readonly what: LabIsolation | LabChange;
}

/** Nothing reaches or leaves the host. */
interface LabIsolation {
  readonly kind: 'isolate';
  readonly host: number;
}

/** The direction behaves otherwise: these fields replace its own; `delayFactor` multiplies its delay. */
export interface LabChange {
  readonly kind: 'change';
  readonly from: number;
  readonly to: number;
  /** One member of the ECMP group, or all of them. */
  readonly member: number | null;
  readonly set: Partial<LinkBehaviour>;
  readonly delayFactor: number;
}
