/** From a scenario file without mistakes to the backbone that it describes. */

import type { z } from 'zod';
import { linkFields, nsOf, UNDISTURBED } from './lab-behaviour.ts';
import { type DirectionPart, labDirections } from './lab-directions.ts';
import { merged } from './lab-layers.ts';
import { COLLECTOR_ADDRESSES, labAddresses, meshOf } from './lab-mesh.ts';
import { labEvents, labPops } from './lab-parts.ts';
import type { LabDirection, LabEvent, LabHost, LabScenario, LinkBehaviour } from './lab-scenario.ts';
import { LAB_COLLECTOR, type labSchema, nearSchema } from './lab-schema.ts';
import { meshSchema } from './mesh-schema.ts';
import type { YamlSource } from './yaml-source.ts';

type LabFile = z.output<typeof labSchema>;

/** @param file what the schema has made of the source, in which nothing is wrong: no part of it is open */
export function resolveScenario(source: YamlSource, file: LabFile): LabScenario {
  const pops = labPops(source) ?? [];
  const hosts = hostsOf(file);
  const parts = labDirections(source, pops);
  const directions = [...parts.map(directionOf), ...collectorDirections(file, hosts, parts)];
  return {
    name: file.name,
    seed: file.seed,
    mesh: meshSchema.parse(meshOf(source, pops).value),
    hosts,
    directions: directions.toSorted((a, b) => a.from - b.from || a.to - b.to),
    events: eventsOf(source, hosts, parts).toSorted((a, b) => a.startS - b.startS),
  };
}

function hostsOf({ families, pops }: LabFile): LabHost[] {
  return [
    ...pops.map((pop, index) => ({
      name: pop.name,
      ...labAddresses(index, pop.families ?? families),
      clockOffsetNs: nsOf(pop.clock_offset_ms),
    })),
    { name: LAB_COLLECTOR, ...COLLECTOR_ADDRESSES, clockOffsetNs: 0 },
  ];
}

function placeIn(hosts: readonly LabHost[], name: string): number {
  return hosts.findIndex((host) => host.name === name);
}

function directionOf({ from, to, layers, members }: DirectionPart): LabDirection {
  const behaviours = (members ?? []).map((member) => behaviourOf([...layers, member]));
  return { from, to, members: behaviours };
}

function behaviourOf(layers: DirectionPart['layers']): LinkBehaviour {
  return { ...UNDISTURBED, ...linkFields(merged(layers)) };
}

/** Behind the PoP that it is near to, without what that PoP's own ways do beside taking time. */
function collectorDirections(
  { collector }: LabFile,
  hosts: readonly LabHost[],
  parts: readonly DirectionPart[],
): LabDirection[] {
  const { near: name, delay_ms } = nearSchema.parse(collector ?? {});
  const place = placeIn(hosts, LAB_COLLECTOR);
  const near = name === undefined ? 0 : placeIn(hosts, name);
  const behind = (from: number, to: number): LinkBehaviour[] => {
    const way = parts.find((part) => part.from === from && part.to === to);
    const { delayNs, hops } = way === undefined ? { delayNs: 0, hops: 0 } : behaviourOf(way.layers);
    return [{ ...UNDISTURBED, delayNs: delayNs + nsOf(delay_ms), hops: hops + 1 }];
  };
  return hosts.slice(0, place).flatMap((_, pop) => [
    { from: place, to: pop, members: behind(near, pop) },
    { from: pop, to: place, members: behind(pop, near) },
  ]);
}

function eventsOf(source: YamlSource, hosts: readonly LabHost[], parts: readonly DirectionPart[]): LabEvent[] {
  return labEvents(source).flatMap((event): LabEvent[] => {
    const { startS, endS } = event;
    if ('isolate' in event) return [{ startS, endS, what: { kind: 'isolate', host: placeIn(hosts, event.isolate) } }];
    const { ways, member, delayFactor } = event;
    const set = linkFields(event.set.fields);
    const changed = parts.filter(({ way }) => ways.includes(way));
    return changed.map(({ from, to }) => ({
      startS,
      endS,
      what: { kind: 'change', from, to, member, set, delayFactor },
    }));
  });
}
