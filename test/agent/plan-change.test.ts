/** What stays when one plan follows another: what a change of the mesh does not touch, and nothing else. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planProbes } from '../../src/agent/plan.ts';
import { bothReflectors, endingPaths, keptPaths, keptSessions, needingRestart } from '../../src/agent/plan-change.ts';
import { nameSessions, planReflector, type ReflectorCourse } from '../../src/agent/plan-reflector.ts';
import type { AgentConfig } from '../../src/config/agent-config.ts';
import type { MeshConfig, MeshPop } from '../../src/config/mesh-config.ts';
import type { ProbePlan } from '../../src/probe/plan.ts';
import { arbitraryMesh, popOf, UNLIMITED } from './arbitrary-mesh.ts';

const REFLECTOR = { mode: 'stateful', packetsPerSecondPerSession: 200, twampSenders: [] } as const;

/** Keys of each session: those of the generations given, the first of which signs. */
function keysOf(...generations: string[]) {
  return { of: (from: string, to: string) => generations.map((name) => Buffer.from(`${name} ${from} ${to}`)) };
}

function plan(mesh: MeshConfig, self: MeshPop, keys = keysOf('one')): ProbePlan {
  return planProbes(mesh, self, 10, 1, keys);
}

function reflector(mesh: MeshConfig, self: MeshPop, keys = keysOf('one')): ReflectorCourse {
  return { plan: planReflector(mesh, self, REFLECTOR, keys), names: nameSessions(mesh, self) };
}

const POPS = [1, 2, 3, 4].map((id) => popOf(id));
const [SELF = popOf(1), SECOND = popOf(2)] = POPS;
const MESH: MeshConfig = {
  ...UNLIMITED,
  name: 'm',
  windowS: 60,
  tmaxMs: 3000,
  pops: POPS,
  probes: [
    { name: 'echo', kind: 'icmp', family: 'ipv4', intervalMs: 200, sizeBytes: 64, dscp: 0 },
    {
      name: 'voice',
      kind: 'stamp',
      family: 'ipv4',
      intervalMs: 100,
      sizeBytes: 112,
      dscp: 46,
      flows: 2,
      sourcePort: 18_620,
      authenticated: true,
      tlvs: [],
    },
  ],
};

/** Peers and classes of the paths that continue nothing, and of those that end. */
function changes(after: MeshConfig, keys = keysOf('one')): { begins: string[]; ends: string[] } {
  const [old, next] = [plan(MESH, SELF), plan(after, SELF, keys)];
  const kept = keptPaths(old, next);
  const name = (path: ProbePlan['paths'][number] | undefined): string => `${path?.peer} ${path?.className}`;
  const begins = kept.flatMap((path, at) => (path < 0 ? [name(next.paths[at])] : []));
  return {
    begins: [...new Set(begins)],
    ends: [...new Set(endingPaths(old, kept).map((path) => name(old.paths[path])))],
  };
}

describe('a path stays', () => {
  it('when nothing changes, in any mesh, each with itself', () => {
    fc.assert(
      fc.property(arbitraryMesh, (mesh) => {
        for (const self of mesh.pops) {
          const [old, next] = [plan(mesh, self), plan(mesh, self)];
          expect(keptPaths(old, next)).toEqual([...old.paths.keys()]);
          expect(endingPaths(old, keptPaths(old, next))).toEqual([]);
        }
      }),
    );
  });

  it('when other PoPs come and go, in any mesh, wherever it stands then', () => {
    fc.assert(
      fc.property(arbitraryMesh, fc.nat(), (mesh, number) => {
        const gone = mesh.pops[number % mesh.pops.length] ?? SELF;
        const smaller = { ...mesh, pops: mesh.pops.filter((pop) => pop !== gone).toReversed() };
        for (const self of smaller.pops) {
          const [old, next] = [plan(mesh, self), plan(smaller, self)];
          const kept = keptPaths(old, next);
          expect(kept.every((path) => path >= 0)).toBe(true);
          const wholly = (path: ProbePlan['paths'][number] | undefined) => ({ ...path, socket: 0 });
          expect(kept.map((path) => wholly(old.paths[path]))).toEqual(next.paths.map(wholly));
          for (const path of endingPaths(old, kept)) expect(old.paths[path]?.peer).toBe(gone.name);
        }
      }),
    );
  });

  it('when its session gets another key beside the old one, and ends when the old one is gone', () => {
    expect(changes(MESH, keysOf('two', 'one'))).toEqual({ begins: [], ends: [] });
    expect(changes(MESH, keysOf('two')).begins).toEqual(['pop2 voice', 'pop3 voice', 'pop4 voice']);
  });

  it.each([
    ['size', { sizeBytes: 128 }],
    ['interval', { intervalMs: 50 }],
    ['DSCP', { dscp: 0 }],
    ['source port', { sourcePort: 19_000 }],
    ['TLVs', { tlvs: ['class_of_service' as const], sizeBytes: 128 }],
  ])('unless its class gets another %s', (_, change) => {
    const [echo, voice] = MESH.probes;
    const probes = [echo, { ...voice, ...change }] as MeshConfig['probes'];
    const all = ['pop2 voice', 'pop3 voice', 'pop4 voice'];
    expect(changes({ ...MESH, probes })).toEqual({ begins: all, ends: all });
  });

  it('unless its peer moves', () => {
    const pops = POPS.map((pop) => (pop === SECOND ? { ...pop, ipv4: '198.18.9.9' } : pop));
    const all = ['pop2 echo', 'pop2 voice'];
    expect(changes({ ...MESH, pops })).toEqual({ begins: all, ends: all });
  });

  it.each([
    ['Tmax', { tmaxMs: 2000 }],
    ['the schedule', { schedule: 'poisson' as const }],
  ])('unless %s is another: every figure depends on it', (_, change) => {
    const next = plan({ ...MESH, ...change }, SELF);
    expect(keptPaths(plan(MESH, SELF), next).every((path) => path === -1)).toBe(true);
  });
});

describe('a reflector between two meshes', () => {
  const pops = [SELF, SECOND, popOf(5)];
  const [old, next] = [reflector(MESH, SELF), reflector({ ...MESH, pops }, SELF, keysOf('two'))];
  const both = bothReflectors(old, next);

  it('answers the sessions of both, each once, and knows whose they are', () => {
    const peers = both.names.map((name) => name?.peer);
    expect(peers).toEqual(['pop2', 'pop2', 'pop5', 'pop5', 'pop3', 'pop3', 'pop4', 'pop4']);
    const found = keptSessions(old.plan, both.plan).map((session) => old.names[session]?.peer);
    expect(found).toEqual(['pop2', 'pop2', undefined, undefined, 'pop3', 'pop3', 'pop4', 'pop4']);
  });

  it('knows the keys of both', () => {
    const keys = both.plan.sessions.map((session) => session.keys.map((key) => String(Buffer.from(key)).slice(0, 3)));
    expect(keys.map((names) => names.join(' '))).toEqual([
      'two one',
      'two one',
      'two',
      'two',
      'one',
      'one',
      'one',
      'one',
    ]);
  });

  it('counts a session of both under its old name: so its sender calls it until the new mesh is taken', () => {
    const [echo, voice] = MESH.probes;
    const renamed = reflector({ ...MESH, probes: [echo, { ...voice, name: 'video' }] as MeshConfig['probes'] }, SELF);
    expect(bothReflectors(old, renamed).names).toEqual(old.names);
  });

  it('is the old one when it moves, since it cannot be at two places', () => {
    const moved = reflector({ ...MESH, pops: [{ ...SELF, stampPort: 8620 }, SECOND] }, { ...SELF, stampPort: 8620 });
    expect(bothReflectors(old, moved)).toBe(old);
  });
});

describe('a running agent', () => {
  const config: AgentConfig = {
    pop: 'pop1',
    mesh: MESH,
    keyFile: '/k',
    nextKeyFile: null,
    stampKeys: null,
    reflector: REFLECTOR,
    collector: { urls: ['http://198.18.0.9'], caFile: null, clientCertificate: null, proxy: null },
    spool: { directory: '/s', maxBytes: 1e6, maxAgeH: 24 },
    statusSocket: '/run/s',
    tickMs: 10,
    transport: 'auto',
    logLevel: 'info',
    digest: 'a',
  };

  it('takes another mesh, tick, log level, key, key folder and way to reflect', () => {
    const mesh = { ...MESH, tmaxMs: 2000, pops: [SELF, SECOND] };
    const other = {
      mesh,
      tickMs: 5,
      logLevel: 'debug',
      stampKeys: '/keys',
      keyFile: '/n',
      nextKeyFile: '/m',
      digest: 'b',
    } as const;
    expect(needingRestart(config, { ...config, ...other, reflector: { ...REFLECTOR, mode: 'stateless' } })).toEqual([]);
  });

  it('names all that it cannot take', () => {
    const other: AgentConfig = {
      ...config,
      pop: 'pop2',
      mesh: { ...MESH, windowS: 30 },
      collector: { ...config.collector, caFile: '/ca.pem' },
      spool: { directory: '/t', maxBytes: 2e6, maxAgeH: 48 },
      statusSocket: '/run/t',
      transport: 'portable',
    };
    expect(needingRestart(config, other)).toEqual([
      'pop',
      'collector',
      'spool.directory',
      'spool.max_bytes',
      'spool.max_age_h',
      'status_socket',
      'transport',
      'window_s of the mesh',
    ]);
  });
});
