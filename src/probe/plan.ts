/** What the probing thread is told to do: plain data, made by the agent from its configuration. */

/** One path: a peer probed in one way. Addresses are unsigned 32-bit numbers. */
export interface PathPlan {
  peer: string;
  className: string;
  kind: 'icmp' | 'stamp';
  dscp: number;
  /** Octets of ICMP or UDP payload. */
  sizeBytes: number;
  flow: number;
  intervalNs: number;
  address: number;
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
  /** Source UDP port, or the ICMP identifier. */
  port: number;
  dscp: number;
  payloadBytes: number;
}

export interface ProbePlan {
  /** Local address of all sockets. */
  address: number;
  /** Names this run in every ICMP probe, so that replies to an earlier run are not taken for ours. */
  session: number;
  tmaxNs: number;
  tickNs: number;
  sockets: SocketPlan[];
  paths: PathPlan[];
}

/** A Session-Sender that the reflector answers (RFC 8972 section 3: provisioned, everything else is dropped). */
export interface ReflectorSession {
  /** Its address, an unsigned 32-bit number, and its source UDP port. */
  address: number;
  port: number;
  ssid: number;
}

export interface ReflectorPlan {
  address: number;
  port: number;
  sessions: ReflectorSession[];
}
