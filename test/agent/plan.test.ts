/** The plan: both ends of every session agree on it, and nothing in it changes with a restart or the order of a file. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planProbes } from '../../src/agent/plan.ts';
import { nameSessions, planReflector } from '../../src/agent/plan-reflector.ts';
import { familyOf } from '../../src/base/ip-address.ts';
import { LIMITS } from '../../src/base/limits.ts';
import { NS_PER_MS } from '../../src/base/units.ts';
import type { MeshConfig, MeshPop } from '../../src/config/mesh-config.ts';
import { formatIp, parseIp } from '../../src/linux/ip-text.ts';
import type { PathPlan, ReflectorSession } from '../../src/probe/plan.ts';
import { arbitraryMesh, popOf, UNLIMITED } from './arbitrary-mesh.ts';

const TICK_MS = 5;
/** A key that tells whose session it is. */
const KEYS = { of: (from: string, to: string) => [Buffer.from(`${from} ${to}`)] };
const REFLECTOR = { mode: 'stateful', packetsPerSecondPerSession: 200, twampSenders: [] } as const;

function plan(mesh: MeshConfig, self: MeshPop, session = 1) {
  return planProbes(mesh, self, TICK_MS, session, KEYS);
}

/** What the sender puts on the wire towards the peer, seen as the reflector's session. */
function sessionsTowards(mesh: MeshConfig, sender: MeshPop, peer: MeshPop): ReflectorSession[] {
  const { paths, sockets } = plan(mesh, sender);
  return paths
    .filter((path) => path.peer === peer.name && path.kind === 'stamp')
    .map(({ socket, ssid, keys }) => {
      const { address, port } = sockets[socket] ?? { address: new Uint8Array(), port: -1 };
      return { address, port, ssid, keys };
    });
}

function byPeerAndSocket(a: PathPlan, b: PathPlan): number {
  return a.peer.localeCompare(b.peer) || a.socket - b.socket;
}

function sorted(sessions: readonly ReflectorSession[]): string[] {
  return sessions
    .map(({ address, port, ssid, keys }) => `${formatIp(address)}:${port} ${ssid} ${keys.join()}`)
    .toSorted();
}

describe('a reflector', () => {
  it('is provisioned with exactly the sessions that its peers send, on the port they send to', () => {
    fc.assert(
      fc.property(arbitraryMesh, (mesh) => {
        for (const self of mesh.pops) {
          const peers = mesh.pops.filter((pop) => pop !== self);
          const reflector = planReflector(mesh, self, REFLECTOR, KEYS);
          // Its own among them: those by which it knows its own share of every delay.
          const sent = mesh.pops.flatMap((peer) => sessionsTowards(mesh, peer, self));
          expect(sorted(reflector.sessions)).toEqual(sorted(sent));
          const targets = peers.flatMap((peer) =>
            plan(mesh, peer).paths.filter(({ peer: name }) => name === self.name),
          );
          for (const { kind, address, port } of targets) {
            expect(reflector.addresses).toContainEqual(address);
            expect(port).toBe(kind === 'stamp' ? reflector.port : 0);
          }
        }
      }),
    );
  });
});

describe('the names of the reflected sessions', () => {
  it('are those of the paths that the peers send, session by session', () => {
    fc.assert(
      fc.property(arbitraryMesh, (mesh) => {
        for (const self of mesh.pops) {
          const { sessions } = planReflector(mesh, self, REFLECTOR, KEYS);
          const names = nameSessions(mesh, self);
          const ends = names.map((name, at) => {
            const { address, port, ssid } = sessions[at] ?? { address: new Uint8Array(), port: -1, ssid: -1 };
            return `${name.peer} ${name.className} ${name.family} ${name.flow} ${formatIp(address)}:${port} ${ssid}`;
          });
          const peers = mesh.pops.filter((pop) => pop !== self);
          const sent = peers.flatMap((peer) => {
            const { paths, sockets } = plan(mesh, peer);
            return paths
              .filter(({ peer: to, kind }) => to === self.name && kind === 'stamp')
              .map(({ className, address, flow, ssid, socket }) => {
                const { address: from, port } = sockets[socket] ?? { address: new Uint8Array(), port: -1 };
                const name = `${peer.name} ${className} ${familyOf(address)} ${flow}`;
                return `${name} ${formatIp(from)}:${port} ${ssid}`;
              });
          });
          expect(ends.toSorted()).toEqual(sent.toSorted());
        }
      }),
    );
  });
});

describe('the names of ICMP paths', () => {
  it('are unique among the ICMP paths of a sender and fit 16 bits', () => {
    fc.assert(
      fc.property(arbitraryMesh, (mesh) => {
        for (const self of mesh.pops) {
          const names = plan(mesh, self).paths.flatMap(({ kind, echoPath }) => (kind === 'icmp' ? [echoPath] : []));
          expect(new Set(names).size).toBe(names.length);
          for (const name of names) expect(name >= 0 && name <= 0xffff).toBe(true);
        }
      }),
    );
  });
});

describe('SSIDs', () => {
  it('are unique among the sessions of a sender, never 0 and fit 16 bits', () => {
    fc.assert(
      fc.property(arbitraryMesh, (mesh) => {
        for (const self of mesh.pops) {
          const ssids = plan(mesh, self).paths.flatMap(({ kind, ssid }) => (kind === 'stamp' ? [ssid] : []));
          expect(new Set(ssids).size).toBe(ssids.length);
          for (const ssid of ssids) expect(ssid > 0 && ssid <= 0xffff).toBe(true);
        }
      }),
    );
  });

  it('fit 16 bits for the highest id and the last flow', () => {
    const mesh: MeshConfig = {
      name: 'largest',
      windowS: 60,
      tmaxMs: 3000,
      ...UNLIMITED,
      pops: [popOf(1), popOf(LIMITS.popsMax)],
      probes: [
        {
          name: 'all',
          kind: 'stamp',
          family: 'ipv4',
          intervalMs: 100,
          sizeBytes: 44,
          dscp: 0,
          flows: LIMITS.flowsMax,
          sourcePort: 2000,
          authenticated: false,
          tlvs: [],
        },
      ],
    };
    const towardsPeer = plan(mesh, popOf(1)).paths.filter((path) => !path.floor);
    expect(towardsPeer.at(-1)?.ssid).toBe(0xffff);
  });

  it('stay the same, as ports and identifiers do, whatever the order of PoPs and the run', () => {
    const shuffled = arbitraryMesh.chain((mesh) =>
      fc.tuple(fc.constant(mesh), fc.shuffledSubarray([...mesh.pops], { minLength: mesh.pops.length })),
    );
    fc.assert(
      fc.property(shuffled, (pair) => {
        const [mesh, pops] = pair;
        for (const self of mesh.pops) {
          const before = plan(mesh, self, 1);
          const after = plan({ ...mesh, pops }, self, 2);
          expect(after.sockets).toEqual(before.sockets);
          expect(after.paths.toSorted(byPeerAndSocket)).toEqual(before.paths.toSorted(byPeerAndSocket));
        }
      }),
    );
  });
});

describe('ICMP identifiers', () => {
  it('differ between PoPs and between classes, and are never 0', () => {
    const pops = [1, 2, 15, 16, 255, 256, LIMITS.popsMax - 1, LIMITS.popsMax].map((id) => popOf(id));
    const probes = Array.from({ length: 16 }, (_, index) => {
      return { name: `icmp-${index}`, kind: 'icmp', family: 'ipv4', intervalMs: 1000, sizeBytes: 64, dscp: 0 } as const;
    });
    const mesh: MeshConfig = { name: 'icmp', windowS: 60, tmaxMs: 3000, ...UNLIMITED, pops, probes };
    const identifiers = pops.flatMap((pop) => plan(mesh, pop).sockets.map(({ port }) => port));
    expect(new Set(identifiers).size).toBe(pops.length * probes.length);
    for (const identifier of identifiers) expect(identifier > 0 && identifier <= 0xffff).toBe(true);
  });
});

describe('a path', () => {
  it('has slots for two windows and Tmax', () => {
    fc.assert(
      fc.property(arbitraryMesh, (mesh) => {
        const [self = popOf(1)] = mesh.pops;
        for (const { capacity, intervalNs } of plan(mesh, self).paths) {
          expect(capacity * intervalNs).toBeGreaterThan((mesh.windowS * 2000 + mesh.tmaxMs) * NS_PER_MS);
          expect(Number.isInteger(Math.log2(capacity))).toBe(true);
        }
      }),
    );
  });

  it('is there for every peer and flow, with the figures of its class', () => {
    const mesh: MeshConfig = {
      name: 'small',
      windowS: 10,
      tmaxMs: 2000,
      ...UNLIMITED,
      pops: [popOf(1), popOf(2, 8620), popOf(3)],
      probes: [
        { name: 'echo', kind: 'icmp', family: 'ipv4', intervalMs: 200, sizeBytes: 56, dscp: 0 },
        {
          name: 'voice',
          kind: 'stamp',
          family: 'ipv4',
          intervalMs: 100,
          sizeBytes: 172,
          dscp: 46,
          flows: 2,
          sourcePort: 18_620,
          authenticated: false,
          tlvs: [],
        },
      ],
    };
    const { paths: all, sockets, tmaxNs, tickNs } = plan(mesh, popOf(1));
    const paths = all.filter((path) => !path.floor);
    expect([tmaxNs, tickNs]).toEqual([2_000_000_000, 5_000_000]);
    expect(sockets).toEqual([
      { kind: 'icmp', address: parseIp('198.18.0.1'), port: 0x7001, dscp: 0, payloadBytes: 64 },
      { kind: 'stamp', address: parseIp('198.18.0.1'), port: 18_620, dscp: 46, payloadBytes: 172 },
      { kind: 'stamp', address: parseIp('198.18.0.1'), port: 18_621, dscp: 46, payloadBytes: 172 },
    ]);
    expect(paths.map(({ peer, className, flow, socket }) => `${peer} ${className} ${flow} ${socket}`)).toEqual([
      'pop2 echo 0 0',
      'pop3 echo 0 0',
      'pop2 voice 0 1',
      'pop3 voice 0 1',
      'pop2 voice 1 2',
      'pop3 voice 1 2',
    ]);
    expect(paths[4]).toEqual({
      peer: 'pop2',
      floor: false,
      className: 'voice',
      kind: 'stamp',
      dscp: 46,
      sizeBytes: 172,
      flow: 1,
      intervalNs: 100_000_000,
      address: parseIp('198.18.0.2'),
      port: 8620,
      echoPath: 0,
      ssid: 33,
      keys: [],
      tlvs: [],
      reflector: 'stateful',
      socket: 2,
      capacity: 256,
    });
  });
});

describe('a path towards a TWAMP Light reflector', () => {
  it('has no SSID, and the PoP behind it no reflector of ours', () => {
    const twamp = { ...popOf(2), reflector: 'twamp_light' as const };
    const probes = [
      {
        name: 'stamp',
        kind: 'stamp',
        family: 'ipv4',
        intervalMs: 100,
        sizeBytes: 44,
        dscp: 0,
        flows: 1,
        sourcePort: 18_620,
        authenticated: false,
        tlvs: [],
      },
    ] as const;
    const mesh: MeshConfig = {
      ...UNLIMITED,
      name: 'mixed',
      windowS: 60,
      tmaxMs: 3000,
      pops: [popOf(1), twamp],
      probes,
    };
    expect(plan(mesh, popOf(1)).paths).toMatchObject([
      { peer: 'pop2', ssid: 0, reflector: 'twamp_light' },
      { peer: 'pop1', floor: true },
    ]);
    expect(planReflector(mesh, twamp, REFLECTOR, KEYS)).toMatchObject({ addresses: [], sessions: [] });
    expect(nameSessions(mesh, twamp)).toEqual([]);
  });
});

describe('a TWAMP Light sender', () => {
  it('is answered without an SSID and without a key', () => {
    const options = { ...REFLECTOR, twampSenders: [{ address: '2001:db8::99', port: 50_000 }] };
    const mesh: MeshConfig = { ...UNLIMITED, name: 'lone', windowS: 60, tmaxMs: 3000, pops: [popOf(1)], probes: [] };
    expect(planReflector(mesh, popOf(1), options, KEYS).sessions).toEqual([
      { address: parseIp('2001:db8::99'), port: 50_000, ssid: 0, keys: [] },
    ]);
  });
});

describe('the floor', () => {
  it('is one path to the PoP itself for each kind and family it sends, once a second', () => {
    fc.assert(
      fc.property(arbitraryMesh, (mesh) => {
        for (const self of mesh.pops) {
          const { paths, sockets } = plan(mesh, self);
          const floor = paths.filter((path) => path.floor);
          const kinds = floor.map(({ kind, address }) => `${kind} ${address.length}`);
          expect(new Set(kinds).size).toBe(kinds.length);
          expect(floor.every((path) => path.peer === self.name && path.intervalNs === 1000 * NS_PER_MS)).toBe(true);
          for (const path of floor) expect(path.address).toEqual(sockets[path.socket]?.address);
          for (const path of floor) expect(path.keys).toEqual([]);
          const sent = sockets
            .filter((socket) => socket.kind === 'icmp')
            .map(({ address }) => `icmp ${address.length}`);
          expect(kinds).toEqual(expect.arrayContaining(sent));
        }
      }),
    );
  });
});
