/** Turns the mesh as configured into what the reflecting thread is told to do. */

import type { IpFamily } from '../base/ip-address.ts';
import type { AgentConfig } from '../config/agent-config.ts';
import type { MeshConfig, MeshPop } from '../config/mesh-config.ts';
import { parseIp } from '../linux/ip-text.ts';
import type { ReflectorPlan, ReflectorSession } from '../probe/plan.ts';
import { addressOf, floorSenders, listSenders, type Sender, ssidOf } from './senders.ts';
import type { StampKeys } from './stamp-keys.ts';

/** Whose session it is, as the sender's summary names the path. */
export interface SessionName {
  peer: string;
  className: string;
  family: IpFamily;
  flow: number;
}

/** A reflector's plan, and whose each of its sessions is; null where it is no peer's. */
export interface ReflectorCourse {
  plan: ReflectorPlan;
  names: readonly (SessionName | null)[];
}

/**
 * What the PoP answers: every STAMP flow that a peer sends to it, its own probes of itself, the TWAMP-Light senders it was
 * told of, and nothing else.
 * Where somebody else's reflector answers for the PoP, ours listens nowhere.
 */
export function planReflector(
  mesh: MeshConfig,
  self: MeshPop,
  options: AgentConfig['reflector'],
  keys: StampKeys,
): ReflectorPlan {
  const stamp = mesh.probes.filter((probeClass) => probeClass.kind === 'stamp');
  const sessions = sendersTo(mesh, self).map(({ peer, sender }) => sessionOf(self, peer, sender, keys));
  const twamp = options.twampSenders.map(({ address, port }) => ({
    address: parseIp(address),
    port,
    ssid: 0,
    keys: [],
  }));
  const floor = floorSenders(listSenders(mesh, self), self)
    .filter((sender) => isAnswered(self, sender))
    .map((sender) => sessionOf(self, self, sender, keys));
  return {
    addresses: isOurs(self)
      ? [addressOf(self, 'ipv4'), addressOf(self, 'ipv6')].filter((address) => address !== null)
      : [],
    port: self.stampPort,
    sessions: isOurs(self) ? [...sessions, ...floor, ...twamp] : [],
    windowS: mesh.windowS,
    mode: options.mode,
    packetsPerSecond: options.packetsPerSecondPerSession,
    permittedDscp: [...new Set(stamp.map(({ dscp }) => dscp))],
    followUp: stamp.some(({ tlvs }) => tlvs.includes('follow_up_telemetry')),
  };
}

/** Names of the plan's sessions in its order; its own and the TWAMP-Light senders behind them have none. */
export function nameSessions(mesh: MeshConfig, self: MeshPop): SessionName[] {
  return sendersTo(mesh, self).map(({ peer, sender: { probeClass, flow } }) => {
    return { peer: peer.name, className: probeClass.name, family: probeClass.family, flow };
  });
}

/** Every STAMP flow that a peer sends to the PoP's own reflector. */
function sendersTo(mesh: MeshConfig, self: MeshPop): { peer: MeshPop; sender: Sender }[] {
  if (!isOurs(self)) return [];
  const peers = mesh.pops.filter((pop) => pop.id !== self.id);
  return peers.flatMap((peer) =>
    listSenders(mesh, peer)
      .filter((sender) => isAnswered(self, sender))
      .map((sender) => ({ peer, sender })),
  );
}

function isOurs(self: MeshPop): boolean {
  return self.reflector !== 'twamp_light';
}

function isAnswered(self: MeshPop, { probeClass: { kind, family } }: Sender): boolean {
  return kind === 'stamp' && addressOf(self, family) !== null;
}

function sessionOf(self: MeshPop, peer: MeshPop, sender: Sender, keys: StampKeys): ReflectorSession {
  const { probeClass, flowOfMesh, socket } = sender;
  const authenticated = probeClass.kind === 'stamp' && probeClass.authenticated;
  return {
    address: socket.address,
    port: socket.port,
    ssid: ssidOf(self, flowOfMesh),
    keys: authenticated ? keys.of(peer.name, self.name) : [],
  };
}
