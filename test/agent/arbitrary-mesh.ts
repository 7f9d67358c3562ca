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

/** The PoP with addresses of these families, of IPv6 that at 2001:db8:: + id. */
function popWith(pop: MeshPop, families: 'ipv4' | 'ipv6' | 'both'): MeshPop {
  const ipv4 = families === 'ipv6' ? null : pop.ipv4;
  const ipv6 = families === 'ipv4' ? null : `2001:db8::${pop.id.toString(16)}`;
  return { ...pop, ipv4, ipv6 };
}

interface Shape {
  kind: 'icmp' | 'stamp';
  family: 'ipv4' | 'ipv6';
  flows: number;
  intervalMs: number;
  authenticated: boolean;
}

function classOf(index: number, { kind, family, flows, intervalMs, authenticated }: Shape): ProbeClass {
  const sizeBytes = authenticated ? 112 : 64;
  const common = { name: `${kind}-${index}`, family, intervalMs, sizeBytes, dscp: index } as const;
  if (kind === 'icmp') return { ...common, kind };
  return {
    ...common,
    kind,
    flows,
    sourcePort: FIRST_SOURCE_PORT + index * PORTS_PER_CLASS,
    authenticated,
    tlvs: [],
  };
}

const pops = fc
  .uniqueArray(fc.integer({ min: 1, max: LIMITS.popsMax }), { minLength: 2, maxLength: 6 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc
          .tuple(fc.constantFrom(862, 8620 + (id % 100)), fc.constantFrom('ipv4', 'ipv6', 'both'))
          .map(([stampPort, families]) => popWith(popOf(id, stampPort), families)),
      ),
    ),
  );

const probes = fc
  .array(
    fc.record({
      kind: fc.constantFrom('icmp', 'stamp'),
      family: fc.constantFrom('ipv4', 'ipv6'),
      flows: fc.integer({ min: 1, max: 4 }),
      intervalMs: fc.integer({ min: 1, max: 2000 }),
      authenticated: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: LIMITS.flowsMax / 4,
    },
  )
  .map((classes) => classes.map((shape, index) => classOf(index, shape)));

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
