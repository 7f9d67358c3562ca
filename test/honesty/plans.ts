/** Probe plans for a few peers, as the agent would make them of a mesh. */

import { LIMITS } from '../../src/base/limits.ts';
import { parseIp } from '../../src/linux/ip-text.ts';
import type { PathPlan, ProbePlan, ReflectorPlan, SocketPlan } from '../../src/probe/plan.ts';

const NS_PER_MS = 1e6;
const SOURCE_PORT = 20_000;
export const REFLECTOR_PORT = 8620;
const IDENTIFIER = 0x7101;

export interface PeerPlan {
  name: string;
  address: string;
  kind?: 'icmp' | 'stamp';
  /** Where nothing listens, if it shall not be the reflector's. */
  port?: number;
  sizeBytes?: number;
}

export interface RunPlan {
  /** Of this host, one a family that the peers have. */
  locals: readonly string[];
  peers: readonly PeerPlan[];
  intervalMs: number;
  tmaxMs?: number;
  tickMs?: number;
  /** How long the ring shall remember. */
  rememberS?: number;
}

/** All peers of a kind and family share one socket: what one of them brings about, all could suffer from. */
export function probePlan({
  locals,
  peers,
  intervalMs,
  tmaxMs = 1000,
  tickMs = 5,
  rememberS = 20,
}: RunPlan): ProbePlan {
  const kinds = (['stamp', 'icmp'] as const).filter((kind) => peers.some((peer) => kindOf(peer) === kind));
  const sockets = kinds.flatMap((kind) =>
    locals.map(
      (local): SocketPlan => ({
        kind,
        address: parseIp(local),
        port: kind === 'icmp' ? IDENTIFIER : SOURCE_PORT,
        dscp: 0,
        payloadBytes: 1472,
      }),
    ),
  );
  const paths = peers.map((peer, index): PathPlan => {
    const address = parseIp(peer.address);
    const kind = kindOf(peer);
    const isOwn = (socket: SocketPlan): boolean => socket.kind === kind && socket.address.length === address.length;
    return {
      peer: peer.name,
      floor: false,
      className: kind,
      kind,
      dscp: 0,
      sizeBytes: peer.sizeBytes ?? 64,
      flow: 0,
      intervalNs: intervalMs * NS_PER_MS,
      address,
      port: kind === 'icmp' ? 0 : (peer.port ?? REFLECTOR_PORT),
      echoPath: index,
      ssid: kind === 'icmp' ? 0 : index + 1,
      keys: [],
      tlvs: [],
      reflector: 'stateful',
      socket: sockets.findIndex(isOwn),
      capacity: 2 ** Math.ceil(Math.log2((rememberS * 1000) / intervalMs)),
    };
  });
  return {
    session: 0x686f6e65,
    tmaxNs: tmaxMs * NS_PER_MS,
    tickNs: tickMs * NS_PER_MS,
    schedule: 'periodic',
    windowS: 60,
    sockets,
    paths,
  };
}

/** A reflector at these addresses that answers every STAMP path of the plan. */
export function reflectorPlan(plan: ProbePlan, addresses: readonly string[]): ReflectorPlan {
  const sessions = plan.paths.flatMap(({ kind, ssid, socket }) => {
    const local = plan.sockets[socket];
    return kind === 'stamp' && local ? [{ address: local.address, port: local.port, ssid, keys: [] }] : [];
  });
  return {
    addresses: addresses.map(parseIp),
    port: REFLECTOR_PORT,
    sessions,
    mode: 'stateful',
    windowS: plan.windowS,
    packetsPerSecond: LIMITS.probesPerSecondMax,
    permittedDscp: [],
    followUp: false,
  };
}

function kindOf(peer: PeerPlan): 'icmp' | 'stamp' {
  return peer.kind ?? 'stamp';
}
