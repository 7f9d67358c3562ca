/** Turns the mesh as configured into what the probing and the reflecting thread are told to do. */

import { LIMITS } from '../base/limits.ts';
import { NS_PER_MS } from '../base/units.ts';
import type { MeshConfig, MeshPop, ProbeClass } from '../config/mesh-config.ts';
import { parseIp } from '../linux/ip-text.ts';
import type { PathPlan, ProbePlan, ReflectorPlan, SocketPlan } from '../probe/plan.ts';
import { slotsFor } from '../ring/layout.ts';
import { ICMP_HEADER_BYTES } from '../wire/icmp-echo.ts';

/** One socket of the plan and the class it serves: one a flow for STAMP, one a class for ICMP. */
interface Sender {
  probeClass: ProbeClass;
  flow: number;
  /** Number of the flow over all STAMP classes: the low bits of the SSID. */
  flowOfMesh: number;
  socket: SocketPlan;
}

/**
 * What the PoP sends. Source ports, ICMP identifiers and SSIDs follow from the mesh file alone, so that they are the
 * same after a restart (routers hash flows by them) and known to the other side's reflector.
 * `session` names this run in ICMP probes.
 */
export function planProbes(mesh: MeshConfig, self: MeshPop, tickMs: number, session: number): ProbePlan {
  const senders = listSenders(mesh, self);
  const peers = mesh.pops.filter((pop) => pop.id !== self.id && pop.ipv4 !== null);
  const paths = peers.flatMap((peer) => senders.map((sender, socket) => planPath(mesh, peer, sender, socket)));
  return {
    session,
    tmaxNs: mesh.tmaxMs * NS_PER_MS,
    tickNs: tickMs * NS_PER_MS,
    schedule: 'periodic',
    windowS: mesh.windowS,
    sockets: senders.map((sender) => sender.socket),
    paths,
  };
}

/** What the PoP answers: every STAMP flow that a peer sends to it, and nothing else. */
export function planReflector(mesh: MeshConfig, self: MeshPop): ReflectorPlan {
  const sessions = mesh.pops
    .filter((pop) => pop.id !== self.id && pop.ipv4 !== null)
    .flatMap((peer) =>
      listSenders(mesh, peer)
        .filter((sender) => sender.probeClass.kind === 'stamp')
        .map((sender) => ({
          address: parseIp(peer.ipv4 ?? ''),
          port: sender.socket.port,
          ssid: ssidOf(self, sender.flowOfMesh),
        })),
    );
  return { addresses: [parseIp(self.ipv4 ?? '')], port: self.stampPort, sessions };
}

function listSenders(mesh: MeshConfig, pop: MeshPop): Sender[] {
  let stampFlows = 0;
  let icmpClasses = 0;
  return mesh.probes.flatMap((probeClass): Sender[] => {
    if (probeClass.family === 'ipv6') return [];
    if (probeClass.kind === 'icmp') return [icmpSender(probeClass, pop, icmpClasses++)];
    const first = stampFlows;
    stampFlows += probeClass.flows;
    return Array.from({ length: probeClass.flows }, (_, flow) => ({
      probeClass,
      flow,
      flowOfMesh: first + flow,
      socket: {
        kind: 'stamp',
        address: parseIp(pop.ipv4 ?? ''),
        port: probeClass.sourcePort + flow,
        dscp: probeClass.dscp,
        payloadBytes: probeClass.sizeBytes,
      },
    }));
  });
}

/** The ICMP identifier is constant per PoP and class: some routers hash it, and raw sockets are told apart by it. */
function icmpSender(probeClass: ProbeClass, pop: MeshPop, icmpClass: number): Sender {
  return {
    probeClass,
    flow: 0,
    flowOfMesh: 0,
    socket: {
      kind: 'icmp',
      address: parseIp(pop.ipv4 ?? ''),
      port: (0x7000 + 0x1000 * icmpClass + pop.id) & 0xffff,
      dscp: probeClass.dscp,
      payloadBytes: ICMP_HEADER_BYTES + probeClass.sizeBytes,
    },
  };
}

function planPath(mesh: MeshConfig, peer: MeshPop, sender: Sender, socket: number): PathPlan {
  const { probeClass } = sender;
  const isStamp = probeClass.kind === 'stamp';
  return {
    peer: peer.name,
    className: probeClass.name,
    kind: probeClass.kind,
    dscp: probeClass.dscp,
    sizeBytes: probeClass.sizeBytes,
    flow: sender.flow,
    intervalNs: probeClass.intervalMs * NS_PER_MS,
    address: parseIp(peer.ipv4 ?? ''),
    port: isStamp ? peer.stampPort : 0,
    ssid: isStamp ? ssidOf(peer, sender.flowOfMesh) : 0,
    socket,
    capacity: slotsFor(mesh.windowS, mesh.tmaxMs, probeClass.intervalMs),
  };
}

/** Unique among a sender's sessions and never 0, because PoP ids begin at 1 (RFC 8972 section 3). */
function ssidOf(reflector: MeshPop, flowOfMesh: number): number {
  return reflector.id * LIMITS.flowsMax + flowOfMesh;
}
