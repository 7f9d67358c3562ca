/** Turns the mesh as configured into what the probing thread is told to do. */

import { LIMITS } from '../base/limits.ts';
import { NS_PER_MS } from '../base/units.ts';
import type { MeshConfig, MeshPop } from '../config/mesh-config.ts';
import type { PathPlan, ProbePlan } from '../probe/plan.ts';
import { slotsFor } from '../ring/layout.ts';
import { addressOf, echoPathOf, floorSenders, listSenders, type Sender, ssidOf } from './senders.ts';
import type { StampKeys } from './stamp-keys.ts';

/**
 * What the PoP sends. Source ports, ICMP identifiers and SSIDs follow from the mesh file alone, so that they are the
 * same after a restart (routers hash flows by them) and known to the other side's reflector.
 * `session` names this run in ICMP probes. Paths of one socket are neighbours, in the ring too: their probes leave and are
 * answered together. The last paths lead to the PoP itself, see `floorSenders`.
 */
export function planProbes(
  mesh: MeshConfig,
  self: MeshPop,
  tickMs: number,
  session: number,
  keys: StampKeys,
): ProbePlan {
  const senders = listSenders(mesh, self);
  const peers = mesh.pops.filter((pop) => pop.id !== self.id);
  return {
    session,
    tmaxNs: mesh.tmaxMs * NS_PER_MS,
    tickNs: tickMs * NS_PER_MS,
    schedule: mesh.schedule,
    windowS: mesh.windowS,
    sockets: senders.map((sender) => sender.socket),
    paths: [
      ...senders.flatMap((sender, socket) =>
        peers.flatMap((peer) => planPath(mesh, self, peer, sender, socket, keys) ?? []),
      ),
      ...floorSenders(senders, self).flatMap((sender) => planFloor(mesh, self, sender, senders.indexOf(sender), keys)),
    ],
  };
}

/** The path from the PoP to itself, at a rate that costs nothing. */
function planFloor(mesh: MeshConfig, self: MeshPop, sender: Sender, socket: number, keys: StampKeys): PathPlan[] {
  const path = planPath(mesh, self, self, sender, socket, keys);
  if (path === null) return [];
  const capacity = slotsFor(mesh.windowS, mesh.tmaxMs, LIMITS.floorIntervalMs, mesh.schedule === 'poisson');
  return [{ ...path, intervalNs: LIMITS.floorIntervalMs * NS_PER_MS, capacity }];
}

/** Null towards a peer without an address of the class's family. */
function planPath(
  mesh: MeshConfig,
  self: MeshPop,
  peer: MeshPop,
  sender: Sender,
  socket: number,
  keys: StampKeys,
): PathPlan | null {
  const { probeClass } = sender;
  const address = addressOf(peer, probeClass.family);
  if (address === null) return null;
  const isStamp = probeClass.kind === 'stamp';
  return {
    peer: peer.name,
    floor: peer.id === self.id,
    className: probeClass.name,
    kind: probeClass.kind,
    dscp: probeClass.dscp,
    sizeBytes: probeClass.sizeBytes,
    flow: sender.flow,
    intervalNs: probeClass.intervalMs * NS_PER_MS,
    address,
    port: isStamp ? peer.stampPort : 0,
    echoPath: isStamp ? 0 : echoPathOf(peer, sender.flowOfMesh),
    ssid: isStamp && peer.reflector !== 'twamp_light' ? ssidOf(peer, sender.flowOfMesh) : 0,
    keys: isStamp && probeClass.authenticated ? keys.of(self.name, peer.name) : [],
    tlvs: isStamp ? [...probeClass.tlvs] : [],
    reflector: peer.reflector,
    socket,
    capacity: slotsFor(mesh.windowS, mesh.tmaxMs, probeClass.intervalMs, mesh.schedule === 'poisson'),
  };
}
