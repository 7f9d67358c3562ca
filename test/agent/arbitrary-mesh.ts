/** Random meshes that the configuration would accept: distinct ids, addresses and ports, at most 16 flows. */

import fc from 'fast-check';
import { LIMITS } from '../../src/base/limits.ts';
import type { MeshConfig, MeshPop, ProbeClass } from '../../src/config/mesh-config.ts';

const FIRST_SOURCE_PORT = 18_620;
/** Each class gets a range of ports of its own. */
const PORTS_PER_CLASS = 100;

/** A PoP at the address 198.18.0.0 + id. */
export function popOf(id: number, stampPort = 862): MeshPop {
  const ipv4 = `198.18.${id >> 8}.${id & 255}`;
  return { name: `pop${id}`, id, ipv4, ipv6: null, stampPort, reflector: 'stateful' };
}

function classOf(index: number, kind: 'icmp' | 'stamp', flows: number, intervalMs: number): ProbeClass {
  const common = { name: `${kind}-${index}`, family: 'ipv4', intervalMs, sizeBytes: 64, dscp: index } as const;
  if (kind === 'icmp') return { ...common, kind };
  return {
    ...common,
    kind,
    flows,
    sourcePort: FIRST_SOURCE_PORT + index * PORTS_PER_CLASS,
    authenticated: false,
    tlvs: [],
  };
}

const pops = fc
  .uniqueArray(fc.integer({ min: 1, max: LIMITS.popsMax }), { minLength: 2, maxLength: 6 })
  .chain((ids) =>
    fc.tuple(...ids.map((id) => fc.constantFrom(862, 8620 + (id % 100)).map((stampPort) => popOf(id, stampPort)))),
  );

const probes = fc
  .array(
    fc.tuple(fc.constantFrom('icmp', 'stamp'), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2000 })),
    {
      minLength: 1,
      maxLength: LIMITS.flowsMax / 4,
    },
  )
  .map((classes) => classes.map(([kind, flows, intervalMs], index) => classOf(index, kind, flows, intervalMs)));

/** What the tests' meshes have in common; no agent acts by it. */
export const UNLIMITED: Pick<MeshConfig, 'schedule' | 'limits'> = {
  schedule: 'periodic',
  limits: {
    probesPerSecondPerPeer: LIMITS.probesPerSecondPerPeerMax,
    probesPerSecondPerAgent: LIMITS.probesPerSecondMax,
    bitsPerSecondPerPeer: LIMITS.bitsPerSecondPerPeerMax,
  },
};

export const arbitraryMesh: fc.Arbitrary<MeshConfig> = fc.record({
  name: fc.constant('test'),
  schedule: fc.constant(UNLIMITED.schedule),
  limits: fc.constant(UNLIMITED.limits),
  windowS: fc.constantFrom(5, 10, 60, 300),
  tmaxMs: fc.integer({ min: LIMITS.tmaxMsMin, max: LIMITS.tmaxMsMax }),
  pops,
  probes,
});
