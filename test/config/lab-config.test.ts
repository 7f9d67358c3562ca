/** What a scenario file becomes: hosts with addresses, every direction's behaviour, events, and the mesh of its agents. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadLabScenario } from '../../src/config/lab-config.ts';
import type { LabScenario, LinkBehaviour } from '../../src/config/lab-scenario.ts';
import { openMesh } from '../../src/config/open-mesh.ts';

const folder = mkdtempSync(join(tmpdir(), 'popprobe-lab-config-'));
const file = join(folder, 'lab.yaml');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function scenarioOf(path: string): LabScenario {
  const { config, problems } = loadLabScenario(path);
  expect(problems).toEqual([]);
  if (config === null) throw new Error('no scenario');
  return config;
}

/** Loads a scenario with these lines, three PoPs, one class and 10 ms everywhere. */
function scenarioWith(lines: string): LabScenario {
  const pops = 'pops: [{ name: hkg1 }, { name: sin1 }, { name: lax1 }]';
  const probes = 'probes: [{ name: icmp, kind: icmp, interval_ms: 500 }]';
  const head = `schema: popprobe.lab/1\nname: small\nseed: 0\n${pops}\n${probes}\n`;
  writeFileSync(file, `${head}${lines.includes('defaults:') ? '' : 'defaults: { delay_ms: 10 }\n'}${lines}`);
  return scenarioOf(file);
}

/** The members of the direction between two places. */
function membersOf({ directions }: LabScenario, from: number, to: number): readonly LinkBehaviour[] {
  return directions.find((direction) => direction.from === from && direction.to === to)?.members ?? [];
}

const UNDISTURBED: LinkBehaviour = {
  delayNs: 10_000_000,
  distribution: 'fixed',
  spreadNs: 0,
  jitterNs: 0,
  loss: 0,
  bursts: null,
  duplicate: 0,
  reorder: null,
  corrupt: 0,
  rate: null,
  mtu: null,
  hops: 5,
};

const full = scenarioOf('test/config/good/lab-full.yaml');

describe('the hosts of a scenario', () => {
  it('are the PoPs with addresses by their place, and the collector behind them', () => {
    expect(full.hosts).toEqual([
      { name: 'hkg1', ipv4: '198.18.1.1', ipv6: '2001:db8:1::1', clockOffsetNs: -250_000 },
      { name: 'sin1', ipv4: null, ipv6: '2001:db8:2::1', clockOffsetNs: 0 },
      { name: 'lax1', ipv4: '198.18.3.1', ipv6: null, clockOffsetNs: 0 },
      { name: 'fra1', ipv4: '198.18.4.1', ipv6: '2001:db8:4::1', clockOffsetNs: 3_600_000_000_000 },
      { name: 'collector', ipv4: '198.18.255.1', ipv6: '2001:db8:ff::1', clockOffsetNs: 0 },
    ]);
  });

  it('are up to 64 PoPs, whose place is hexadecimal in IPv6, and have both families by default', () => {
    const pops = Array.from({ length: 64 }, (_, index) => `{ name: p${index + 1} }`).join(', ');
    const rest = 'probes: [{ name: icmp, kind: icmp, interval_ms: 500 }]\ndefaults: { delay_ms: 1 }\n';
    writeFileSync(file, `schema: popprobe.lab/1\nname: large\nseed: 0\npops: [${pops}]\n${rest}`);
    const { hosts, directions } = scenarioOf(file);
    expect(hosts[9]).toMatchObject({ name: 'p10', ipv4: '198.18.10.1', ipv6: '2001:db8:a::1' });
    expect(hosts[63]).toMatchObject({ name: 'p64', ipv4: '198.18.64.1', ipv6: '2001:db8:40::1' });
    expect(directions).toHaveLength(65 * 64);
  });
});

describe('the mesh of a scenario', () => {
  it('has what mesh.yaml has, its defaults applied', () => {
    expect(full.mesh).toEqual({
      schema: 'popprobe.mesh/1',
      name: 'full',
      window_s: 30,
      tmax_ms: 2000,
      stamp_port: 8620,
      schedule: 'poisson',
      limits: {
        probes_per_second_per_peer: 100,
        probes_per_second_per_agent: 1000,
        bits_per_second_per_peer: 200_000,
      },
      pops: [
        { name: 'hkg1', id: 1, ipv4: '198.18.1.1', ipv6: '2001:db8:1::1', reflector: 'stateful' },
        { name: 'sin1', id: 2, ipv6: '2001:db8:2::1', reflector: 'stateful' },
        { name: 'lax1', id: 3, ipv4: '198.18.3.1', reflector: 'stateful' },
        { name: 'fra1', id: 4, ipv4: '198.18.4.1', ipv6: '2001:db8:4::1', reflector: 'stateful' },
      ],
      probes: [
        { name: 'echo', kind: 'icmp', family: 'ipv4', interval_ms: 500, size_bytes: 64, dscp: 0 },
        {
          name: 'stamp',
          kind: 'stamp',
          family: 'ipv6',
          interval_ms: 1000,
          flows: 2,
          source_port: 18_620,
          authenticated: false,
          tlvs: ['direct_measurement'],
          dscp: 0,
        },
      ],
    });
  });

  it.each(['test/config/good/lab-full.yaml', 'config/lab/backbone.yaml', 'config/lab/bad-day.yaml'])(
    'is a mesh.yaml once it is written as YAML: that of %s',
    (path) => {
      const mesh = join(folder, 'mesh.yaml');
      writeFileSync(mesh, stringify(scenarioOf(path).mesh));
      expect(openMesh(mesh).loaded.problems).toEqual([]);
    },
  );

  it('has windows of 10 s, and everything else as in mesh.yaml, where the file says nothing', () => {
    const { mesh } = scenarioWith('');
    expect(mesh).toMatchObject({ window_s: 10, tmax_ms: 3000, stamp_port: 862, schedule: 'periodic' });
    expect(mesh).not.toHaveProperty('limits');
  });
});

describe('the directions of a scenario', () => {
  it('are all ordered pairs of hosts in order, the collector among them', () => {
    const { directions } = scenarioWith('');
    const pairs = directions.map(({ from, to }) => `${from}${to}`);
    expect(pairs).toEqual(['01', '02', '03', '10', '12', '13', '20', '21', '23', '30', '31', '32']);
    expect(full.directions).toHaveLength(5 * 4);
  });

  it('deliver everything after the delay where nothing else is said', () => {
    expect(membersOf(scenarioWith(''), 0, 2)).toEqual([UNDISTURBED]);
  });

  it('have the defaults in ns and bit/s', () => {
    expect(membersOf(full, 0, 2)).toEqual([
      {
        delayNs: 20_000_000,
        distribution: 'normal',
        spreadNs: 100_000,
        jitterNs: 200_000,
        loss: 0.01,
        bursts: { toBad: 0.001, toGood: 0.1, lossGood: 0, lossBad: 1 },
        duplicate: 0.002,
        reorder: { ratio: 0.003, byNs: 4_000_000 },
        corrupt: 0.004,
        rate: { bitsPerSecond: 2_000_000, queueNs: 50_000_000 },
        mtu: { bytes: 1400, blackHole: false },
        hops: 7,
      },
    ]);
  });

  it('have a field of the link between two PoPs before the default, of the link from one to the other before both, and of a member before all', () => {
    const [reverse, forward] = [membersOf(full, 1, 0), membersOf(full, 0, 1)];
    expect(reverse.map(({ delayNs, loss, hops }) => [delayNs, loss, hops])).toEqual([
      [17_500_000, 0.5, 7],
      [17_500_000, 1, 7],
    ]);
    // The link from hkg1 to sin1 stands above the one between them, and counts nevertheless.
    expect(forward.map(({ delayNs, loss, hops }) => [delayNs, loss, hops])).toEqual([
      [19_000_000, 0.5, 9],
      [19_000_000, 1, 9],
    ]);
    expect(forward[0]?.bursts).toEqual({ toBad: 0, toGood: 1, lossGood: 0.1, lossBad: 0.9 });
  });

  it('lose with null what a more general entry has turned on', () => {
    expect(membersOf(full, 0, 1)[1]).toMatchObject({ bursts: null, rate: null, mtu: { bytes: 1280, blackHole: true } });
    expect(membersOf(full, 2, 3)).toMatchObject([
      { reorder: null, distribution: 'fixed', spreadNs: 0, jitterNs: 200_000 },
    ]);
  });

  it('have the ECMP group of the more particular link alone', () => {
    const links = [
      '- { between: [hkg1, sin1], ecmp: [{ loss: 1 }, {}] }',
      '- { from: sin1, to: hkg1, ecmp: [{ hops: 2 }, { hops: 3 }, { hops: 4 }] }',
    ];
    const scenario = scenarioWith(`links:\n${links.join('\n')}`);
    expect(membersOf(scenario, 0, 1).map(({ loss }) => loss)).toEqual([1, 0]);
    expect(membersOf(scenario, 1, 0).map(({ loss, hops }) => [loss, hops])).toEqual([
      [0, 2],
      [0, 3],
      [0, 4],
    ]);
  });
});

describe('the directions of the collector', () => {
  it('are those of the PoP that it is near to, one router and a delay longer, and without impairments', () => {
    const plain = { ...UNDISTURBED, hops: 8 };
    // near lax1, 0.5 ms: from hkg1 20 ms and 7 routers to lax1
    expect(membersOf(full, 0, 4)).toEqual([{ ...plain, delayNs: 20_500_000 }]);
    expect(membersOf(full, 4, 0)).toEqual([{ ...plain, delayNs: 20_500_000 }]);
    expect(membersOf(full, 2, 4)).toEqual([{ ...plain, delayNs: 500_000, hops: 1 }]);
    expect(membersOf(full, 4, 2)).toEqual([{ ...plain, delayNs: 500_000, hops: 1 }]);
  });

  it('are 1 ms from the first PoP by default, and take in each direction what its own takes', () => {
    const scenario = scenarioWith('links:\n- { from: hkg1, to: lax1, delay_ms: 40, ecmp: [{ delay_ms: 90 }] }');
    expect(membersOf(scenario, 3, 0).map(({ delayNs }) => delayNs)).toEqual([1_000_000]);
    expect(membersOf(scenario, 3, 2).map(({ delayNs }) => delayNs)).toEqual([41_000_000]);
    expect(membersOf(scenario, 2, 3).map(({ delayNs }) => delayNs)).toEqual([11_000_000]);
  });
});

describe('the events of a scenario', () => {
  it('are sorted by their beginning, one for each direction, with nothing but what they set', () => {
    const set = { loss: 0, mtu: null };
    const change = { kind: 'change', member: 1, set, delayFactor: 1.25 } as const;
    const line = { rate: { bitsPerSecond: 64_000, queueNs: 10_000_000 }, jitterNs: 3_000_000 };
    expect(full.events).toEqual([
      { startS: 0, endS: Number.POSITIVE_INFINITY, what: { kind: 'isolate', host: 2 } },
      { startS: 30, endS: 90, what: { kind: 'isolate', host: 4 } },
      { startS: 30, endS: 30.5, what: { kind: 'change', from: 3, to: 2, member: null, set: line, delayFactor: 1 } },
      { startS: 90.5, endS: Number.POSITIVE_INFINITY, what: { ...change, from: 0, to: 1 } },
      { startS: 90.5, endS: Number.POSITIVE_INFINITY, what: { ...change, from: 1, to: 0 } },
    ]);
  });

  it('may make a delay as long as it stays below Tmax with everything that happens at the same time', () => {
    const delay = (ms: number, atS: number): string =>
      `- { at_s: ${atS}, for_s: 10, between: [hkg1, sin1], set: { delay_ms: ${ms} } }\n`;
    const events = `events:\n${delay(1499, 0)}- { at_s: 10, from: hkg1, to: sin1, delay_factor: 100 }\n`;
    expect(scenarioWith(events).events).toHaveLength(3);
    // A second before, 1499 ms a hundred times would be one way.
    writeFileSync(file, `${scenarioText()}${events.replace('at_s: 10', 'at_s: 9')}`);
    expect(loadLabScenario(file).problems.map(({ where }) => where)).toEqual(['events[1]']);
  });
});

function scenarioText(): string {
  return [
    'schema: popprobe.lab/1',
    'name: small',
    'seed: 0',
    'pops: [{ name: hkg1 }, { name: sin1 }]',
    'probes: [{ name: icmp, kind: icmp, interval_ms: 500 }]',
    'defaults: { delay_ms: 10 }\n',
  ].join('\n');
}

describe('a loaded scenario', () => {
  it('is frozen all the way down', () => {
    const values: unknown[] = [full];
    for (const value of values) {
      if (typeof value !== 'object' || value === null) continue;
      expect(Object.isFrozen(value)).toBe(true);
      values.push(...Object.values(value));
    }
    expect(values.length).toBeGreaterThan(300);
  });

  it('is what JSON makes of it, but for the end of events that stay', () => {
    const { events, ...rest } = full;
    expect(JSON.parse(JSON.stringify(rest))).toEqual(rest);
    expect(JSON.parse(JSON.stringify(events[1]))).toEqual(events[1]);
  });
});

describe('a scenario of senseless size', () => {
  it.each([
    ['pops', 'pops:\n', '- { name: p }\n'],
    ['links', 'links:\n', '- { between: [hkg1, sin2] }\n'],
    ['links of one pair', 'links:\n', '- { from: hkg1, to: sin1, delay_ms: 7 }\n'],
    ['events', 'events:\n', '- { at_s: 1, from: hkg1, to: sin1, delay_factor: 2 }\n'],
  ])('is refused in time: %s', (_, key, item) => {
    const text = key === 'pops:\n' ? scenarioText().replace(/^pops.*\n/m, '') : scenarioText();
    writeFileSync(file, `${text}${key}${item.repeat(Math.floor(200_000 / item.length))}`);
    expect(loadLabScenario(file).problems.length).toBeGreaterThan(0);
  });
});
