/** The scenarios that are shipped load without problems, and do what their first lines say. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkFiles } from '../../src/cli/check-files.ts';
import { loadLabScenario } from '../../src/config/lab-config.ts';
import type { LabScenario, LinkBehaviour } from '../../src/config/lab-scenario.ts';

function scenarioOf(name: string): LabScenario {
  const { config, problems } = loadLabScenario(`config/lab/${name}.yaml`);
  expect(problems).toEqual([]);
  if (config === null) throw new Error('no scenario');
  return config;
}

/** The members of a direction by the names of its hosts. */
function membersOf({ hosts, directions }: LabScenario, from: string, to: string): readonly LinkBehaviour[] {
  const place = (name: string): number => hosts.findIndex((host) => host.name === name);
  return directions.find((d) => d.from === place(from) && d.to === place(to))?.members ?? [];
}

const LIGHT_KM_PER_MS_IN_GLASS = 204;
const EARTH_RADIUS_KM = 6371;

/** Latitude and longitude of the cities, in degrees. */
const CITIES: Record<string, [number, number]> = {
  hkg1: [22.3, 114.2],
  sin1: [1.35, 103.8],
  tyo1: [35.7, 139.7],
  lax1: [34.05, -118.2],
  nyc1: [40.7, -74],
  lon1: [51.5, -0.1],
  fra1: [50.1, 8.7],
  syd1: [-33.9, 151.2],
};

/** By the spherical law of cosines. */
function distanceKm(from: string, to: string): number {
  const radians = [CITIES[from], CITIES[to]].flatMap((city = [0, 0]) =>
    city.map((degrees) => (degrees * Math.PI) / 180),
  );
  const [lat1 = 0, lon1 = 0, lat2 = 0, lon2 = 0] = radians;
  const cosine = Math.sin(lat1) * Math.sin(lat2) + Math.cos(lat1) * Math.cos(lat2) * Math.cos(lon1 - lon2);
  return EARTH_RADIUS_KM * Math.acos(cosine);
}

describe('popprobe check', () => {
  it('says ok to every scenario, and what its agents have to do', async () => {
    const files = ['backbone', 'bad-day', 'calm'].map((name) => `config/lab/${name}.yaml`);
    const load = [
      '7 peers, 70 paths, 70 probes/s',
      '4 peers, 36 paths, 180 probes/s',
      '2 peers, 18 paths, 180 probes/s',
    ];
    expect(await checkFiles(files)).toEqual({
      ok: true,
      lines: [
        `${files[0]}: ok (lab backbone: 8 PoPs; each agent: ${load[0]})`,
        `${files[1]}: ok (lab bad-day: 5 PoPs; each agent: ${load[1]})`,
        `${files[2]}: ok (lab calm: 3 PoPs; each agent: ${load[2]})`,
      ],
    });
  });

  it('says every mistake of a scenario, also of one that nearly says that it is one', async () => {
    const lines = readFileSync('test/config/bad/lab-everything.txt', 'utf8').trimEnd().split('\n');
    expect(lines[0]).toContain('did you mean "popprobe.lab/1"?');
    expect(await checkFiles(['test/config/bad/lab-everything.yaml'])).toEqual({ ok: false, lines });
  });
});

describe('the scenario backbone', () => {
  const backbone = scenarioOf('backbone');
  const pops = backbone.mesh.pops.map(({ name }) => name);
  const pairs = pops.flatMap((from) => pops.filter((to) => to !== from).map((to) => [from, to] as const));

  it('has eight PoPs of both families', () => {
    expect(pops).toEqual(Object.keys(CITIES));
    expect(backbone.mesh.pops.every(({ ipv4, ipv6 }) => ipv4 !== undefined && ipv6 !== undefined)).toBe(true);
  });

  it('has no delay that light could not keep to, and none three times as long', () => {
    expect(pairs).toHaveLength(56);
    for (const [from, to] of pairs) {
      const light = distanceKm(from, to) / LIGHT_KM_PER_MS_IN_GLASS;
      for (const { delayNs } of membersOf(backbone, from, to)) {
        expect(delayNs / 1e6, `${from} to ${to}`).toBeGreaterThan(light);
        expect(delayNs / 1e6, `${from} to ${to}`).toBeLessThan(3 * light);
      }
    }
  });

  it('loses nothing but 1 in 2000 on one pair, and has no events', () => {
    const lossy = pairs.filter(([from, to]) => membersOf(backbone, from, to).some(({ loss }) => loss > 0));
    expect(lossy).toEqual([
      ['hkg1', 'lon1'],
      ['lon1', 'hkg1'],
    ]);
    expect(membersOf(backbone, 'hkg1', 'lon1')).toMatchObject([{ loss: 0.0005 }]);
    expect(backbone.events).toEqual([]);
  });

  it('has groups of four equal members on some of its long ways', () => {
    const groups = pairs.map(([from, to]) => membersOf(backbone, from, to)).filter(({ length }) => length > 1);
    expect(groups).toHaveLength(8);
    for (const members of groups) expect(members).toEqual(Array.from({ length: 4 }, () => members[0]));
  });
});

describe('the scenario bad-day', () => {
  const badDay = scenarioOf('bad-day');
  const names = badDay.hosts.map(({ name }) => name);

  it('follows its timeline, and is over within eight minutes', () => {
    const timeline = badDay.events.map(({ startS, endS, what }) => {
      const who = what.kind === 'isolate' ? names[what.host] : `${names[what.from]} ${names[what.to]}`;
      return `${startS} ${endS} ${who}`;
    });
    expect(timeline).toEqual([
      '30 Infinity hkg1 lax1',
      '60 150 tyo1',
      '150 450 collector',
      '180 270 hkg1 sin1',
      '180 270 sin1 hkg1',
      '300 Infinity sin1 fra1',
      '300 Infinity fra1 sin1',
    ]);
  });

  it('kills one member of four, loses 2 %, and makes a way longer by a quarter', () => {
    const changes = badDay.events.flatMap(({ what }) => (what.kind === 'change' ? [what] : []));
    expect(changes.map(({ member, set, delayFactor }) => [member, set, delayFactor])).toEqual([
      [1, { loss: 1 }, 1],
      [null, { loss: 0.02 }, 1],
      [null, { loss: 0.02 }, 1],
      [null, {}, 1.25],
      [null, {}, 1.25],
    ]);
    expect(membersOf(badDay, 'hkg1', 'lax1')).toHaveLength(4);
  });
});

describe('the scenario calm', () => {
  const calm = scenarioOf('calm');

  it('does nothing but take time, always the same', () => {
    const members = calm.directions.flatMap((direction) => direction.members);
    for (const { delayNs, hops, ...rest } of members) {
      expect(delayNs).toBeGreaterThan(0);
      expect(hops).toBeGreaterThan(0);
      expect(rest).toEqual({
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
      });
    }
    expect(calm.directions.every((direction) => direction.members.length === 1)).toBe(true);
    expect(calm.events).toEqual([]);
  });
});
