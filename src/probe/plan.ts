/** What the probing thread is told to do: plain data, made by the agent from its configuration. */

import type { IpAddress } from '../base/ip-address.ts';
import type { ScheduleKind } from './schedule.ts';

/** One path: a peer probed in one way. */
export interface PathPlan {
  peer: string;
  className: string;
  kind: 'icmp' | 'stamp';
  dscp: number;
  /** Octets of ICMP or UDP payload. */
  sizeBytes: number;
  flow: number;
  intervalNs: number;
  /** The peer's; it decides the family. */
  address: IpAddress;
  /** Destination UDP port; 0 for ICMP. */
  port: number;
  /** STAMP session identifier, unique among this agent's sessions (RFC 8972 section 3); 0 for ICMP. */
  ssid: number;
  /** Index into `ProbePlan.sockets`. */
  socket: number;
  /** Slots of the path's ring region. */
  capacity: number;
}

/** One socket: everything sent from it shares source port and DSCP. */
export interface SocketPlan {
  kind: 'icmp' | 'stamp';
  /** Local address; it decides the family. */
  address: IpAddress;
  /** Source UDP port, or the ICMP identifier. */
  port: number;
  dscp: number;
  payloadBytes: number;
}

export interface ProbePlan {
  /** Names this run in every ICMP probe, so that replies to an earlier run are not taken for ours. */
  session: number;
  tmaxNs: number;
  tickNs: number;
  schedule: ScheduleKind;
  /** Length of the summary windows, in which a periodic schedule keeps its phase. */
  windowS: number;
  sockets: SocketPlan[];
  paths: PathPlan[];
}

/** A Session-Sender that the reflector answers (RFC 8972 section 3: provisioned, everything else is dropped). */
export interface ReflectorSession {
  /** Its address and source UDP port. */
  address: IpAddress;
  port: number;
  ssid: number;
}

export interface ReflectorPlan {
  /** Where it listens: an address of each family that the PoP has, all on one port. */
  addresses: IpAddress[];
  port: number;
  sessions: ReflectorSession[];
}
