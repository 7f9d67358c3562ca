/** What the probing thread is told to do: plain data, made by the agent from its configuration. */

import type { IpAddress } from '../base/ip-address.ts';
import type { TlvName } from '../wire/stamp-tlv-layout.ts';
import type { ScheduleKind } from './schedule.ts';

/** What answers at a peer. TWAMP Light knows neither SSID nor TLVs nor our authentication (RFC 8762 section 4.6). */
type ReflectorKind = 'stateful' | 'stateless' | 'twamp_light';

/** One path: a peer probed in one way. */
export interface PathPlan {
  peer: string;
  /** The PoP probes itself: what that takes is the host's own share. */
  floor: boolean;
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
  /** ICMP only: names the path in its packets, 16 bits, unique; the path keeps it when the plan changes. */
  echoPath: number;
  /** STAMP only, from here on: session identifier, unique among this agent's sessions (RFC 8972 section 3); 0 for none. */
  ssid: number;
  /** Authenticated mode: the first key signs, every key verifies. Empty: unauthenticated. */
  keys: Uint8Array[];
  tlvs: TlvName[];
  reflector: ReflectorKind;
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
  /** 0: a TWAMP Light sender. */
  ssid: number;
  /** As a path's. */
  keys: Uint8Array[];
}

export interface ReflectorPlan {
  /** Where it listens: an address of each family that the PoP has, all on one port. */
  addresses: IpAddress[];
  port: number;
  sessions: ReflectorSession[];
  /** Stateful: replies are numbered by the session's own counter; stateless: by the request (RFC 8762 section 4). */
  mode: 'stateful' | 'stateless';
  /** Length of the windows by which it counts what it received and answered. */
  windowS: number;
  /** Packets per second that one session is answered. */
  packetsPerSecond: number;
  /** DSCPs that a Class of Service TLV may ask for (RFC 8972 section 4.4). */
  permittedDscp: number[];
  /** Whether any session asks when its replies really left (Follow-Up Telemetry): the kernel then stamps them. */
  followUp: boolean;
}
