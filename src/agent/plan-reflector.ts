/** Turns the mesh as configured into what the reflecting thread is told to do. */

import type { AgentConfig } from '../config/agent-config.ts';
import type { MeshConfig, MeshPop } from '../config/mesh-config.ts';
import { parseIp } from '../linux/ip-text.ts';
import type { ReflectorPlan, ReflectorSession } from '../probe/plan.ts';
import { addressOf, floorSenders, listSenders, type Sender, ssidOf } from './senders.ts';
import type { StampKeys } from './stamp-keys.ts';

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
  const peers = mesh.pops.filter((pop) => pop.id !== self.id);
  const twamp = options.twampSenders.map(({ address, port }) => ({
    address: parseIp(address),
    port,
    ssid: 0,
    keys: [],
  }));
  const floor = sessionsOf(floorSenders(listSenders(mesh, self), self), self, self, keys);
  const ours = self.reflector !== 'twamp_light';
  return {
    addresses: ours ? [addressOf(self, 'ipv4'), addressOf(self, 'ipv6')].filter((address) => address !== null) : [],
    port: self.stampPort,
    sessions: ours
      ? [...peers.flatMap((peer) => sessionsOf(listSenders(mesh, peer), peer, self, keys)), ...floor, ...twamp]
      : [],
    mode: options.mode,
    packetsPerSecond: options.packetsPerSecondPerSession,
    permittedDscp: [...new Set(stamp.map(({ dscp }) => dscp))],
    followUp: stamp.some(({ tlvs }) => tlvs.includes('follow_up_telemetry')),
  };
}

/** The sessions from a peer's senders to this PoP. */
function sessionsOf(senders: readonly Sender[], peer: MeshPop, self: MeshPop, keys: StampKeys): ReflectorSession[] {
  return senders.flatMap(({ probeClass, flowOfMesh, socket }) => {
    if (probeClass.kind !== 'stamp' || addressOf(self, probeClass.family) === null) return [];
    const { address, port } = socket;
    const ssid = ssidOf(self, flowOfMesh);
    return [{ address, port, ssid, keys: probeClass.authenticated ? keys.of(peer.name, self.name) : [] }];
  });
}
