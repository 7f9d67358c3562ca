/** The sockets from which a PoP of the mesh sends: the same answer at the PoP itself and at the reflectors of its peers. */

import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import type { MeshConfig, MeshPop, ProbeClass } from '../config/mesh-config.ts';
import { parseIp } from '../linux/ip-text.ts';
import type { SocketPlan } from '../probe/plan.ts';
import { ICMP_HEADER_BYTES } from '../wire/icmp-echo.ts';

/** One socket and the class it serves: one a flow for STAMP, one a class for ICMP. */
export interface Sender {
  probeClass: ProbeClass;
  flow: number;
  /** Number of the flow over all classes of its kind, an ICMP class being one flow: the low bits of SSID and echo path. */
  flowOfMesh: number;
  socket: SocketPlan;
}

/** Classes of a family that the PoP has no address of are left out, but keep their numbers. */
export function listSenders(mesh: MeshConfig, pop: MeshPop): Sender[] {
  let flows = 0;
  let icmpClasses = 0;
  return mesh.probes.flatMap((probeClass): Sender[] => {
    const address = addressOf(pop, probeClass.family);
    if (probeClass.kind === 'icmp') {
      const number = icmpClasses++;
      return address === null ? [] : [icmpSender(probeClass, pop, address, number)];
    }
    const first = flows;
    flows += probeClass.flows;
    if (address === null) return [];
    return Array.from({ length: probeClass.flows }, (_, flow) => ({
      probeClass,
      flow,
      flowOfMesh: first + flow,
      socket: {
        kind: 'stamp',
        address,
        port: probeClass.sourcePort + flow,
        dscp: probeClass.dscp,
        payloadBytes: probeClass.sizeBytes,
      },
    }));
  });
}

/**
 * The senders that also probe the PoP itself: one of each kind and family. What such a probe takes is spent in this host
 * alone, so it is the least error that any figure of the window has. Authenticated classes are passed over: a PoP shares no
 * key with itself. Nor is there a STAMP floor where somebody else's reflector answers.
 */
export function floorSenders(senders: readonly Sender[], pop: MeshPop): Sender[] {
  const floors = new Map<string, Sender>();
  for (const sender of senders) {
    const { probeClass } = sender;
    const usable = probeClass.kind === 'icmp' || (!probeClass.authenticated && pop.reflector !== 'twamp_light');
    const key = `${probeClass.kind} ${probeClass.family}`;
    if (usable && !floors.has(key)) floors.set(key, sender);
  }
  return [...floors.values()];
}

/** The PoP's address of a family, or null. */
export function addressOf(pop: MeshPop, family: IpFamily): IpAddress | null {
  const text = pop[family];
  return text === null ? null : parseIp(text);
}

/** Unique among a sender's sessions and never 0, because PoP ids begin at 1 (RFC 8972 section 3). */
export function ssidOf(reflector: MeshPop, flowOfMesh: number): number {
  return reflector.id * LIMITS.flowsMax + flowOfMesh;
}

/** Unique among a sender's ICMP paths. */
export function echoPathOf(peer: MeshPop, icmpClass: number): number {
  return peer.id * LIMITS.icmpClassesMax + icmpClass;
}

/** The ICMP identifier is constant per PoP and class: some routers hash it, and raw sockets are told apart by it. */
function icmpSender(probeClass: ProbeClass, pop: MeshPop, address: IpAddress, icmpClass: number): Sender {
  return {
    probeClass,
    flow: 0,
    flowOfMesh: icmpClass,
    socket: {
      kind: 'icmp',
      address,
      port: (0x7000 + 0x1000 * icmpClass + pop.id) & 0xffff,
      dscp: probeClass.dscp,
      payloadBytes: ICMP_HEADER_BYTES + probeClass.sizeBytes,
    },
  };
}
