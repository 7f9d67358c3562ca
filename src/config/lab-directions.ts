/** Every direction between two PoPs with the layers that say how it behaves, also in a scenario with mistakes. */

import { LIMITS } from '../base/limits.ts';
import { emptyLayer, type Layer, layerAt, layerIn, openLayer } from './lab-layers.ts';
import { type Ends, endsAt, labNames, type LabPopPart, wayOf, waysOf } from './lab-parts.ts';
import { labSchema, linkSchema } from './lab-schema.ts';
import type { Path } from './quote.ts';
import { mayBeMisspelt } from './sound-part.ts';
import { itemsAt, mappingAt, valueAt, type YamlSource } from './yaml-source.ts';

export interface DirectionPart {
  /** Places in `pops`. */
  readonly from: number;
  readonly to: number;
  /** Its name, as of `wayOf`. */
  readonly way: string;
  /** From the most general to the most particular. */
  readonly layers: readonly Layer[];
  /** What each member of its ECMP group has beside that; null where a mistake leaves the group open. */
  readonly members: readonly Layer[] | null;
}

interface LinkPart {
  readonly layer: Layer;
  /** undefined when the link has no group of its own; null when that is open. */
  readonly ecmp: readonly Layer[] | null | undefined;
  readonly ends: Ends | null;
}

/** Of PoPs whose name is unknown, or another's, there are none. */
export function labDirections(source: YamlSource, pops: readonly LabPopPart[] | null): DirectionPart[] {
  const named = new Map(pops?.toReversed().map(({ name, index }) => [name, index]));
  named.delete(null);
  const places = [...named].toSorted(([, a], [, b]) => a - b);
  const links = readLinks(source, labNames(pops));
  const defaults = layerIn(source, [], 'defaults', labSchema);
  return places.flatMap(([from, fromIndex]) =>
    places.flatMap(([to, toIndex]) => {
      if (from === null || to === null || from === to) return [];
      const way = wayOf(from, to);
      const own = links.byWay.get(way) ?? [];
      const layers = [defaults, ...own.map(({ layer }) => layer), ...links.open.map(({ layer }) => layer)];
      const ecmp = [...own, ...links.open].findLast((link) => link.ecmp !== undefined)?.ecmp;
      const members = ecmp === undefined ? [emptyLayer([])] : ecmp;
      return [{ from: fromIndex, to: toIndex, way, layers, members }];
    }),
  );
}

interface Links {
  /** Links between two PoPs before those from one to the other, which are more particular. */
  readonly byWay: ReadonlyMap<string, readonly LinkPart[]>;
  /** One or none, which stands for all links that may be about any direction. */
  readonly open: readonly LinkPart[];
}

function readLinks(source: YamlSource, names: readonly string[] | null): Links {
  const list: Path = ['links'];
  const links = itemsAt(source, list).map((_, index) => linkAt(source, [...list, index]));
  const isPlaced = ({ ends }: LinkPart): boolean =>
    ends?.names.every((name) => names?.includes(name) === true) ?? false;
  const placed = links.filter(isPlaced);
  const byWay = new Map<string, LinkPart[]>();
  for (const kind of ['between', 'from'] as const) {
    for (const link of placed) {
      if (link.ends?.kind !== kind) continue;
      for (const way of waysOf(link.ends)) {
        const own = byWay.get(way);
        if (own === undefined) byWay.set(way, [link]);
        else own.push(link);
      }
    }
  }
  const isList = valueAt(source, list) === undefined || Array.isArray(valueAt(source, list));
  if (!isList || mayBeMisspelt(labSchema, source.value, 'links')) {
    return { byWay, open: [{ layer: openLayer(list), ecmp: null, ends: null }] };
  }
  return { byWay, open: standIn(links.filter((link) => !isPlaced(link))) };
}

function linkAt(source: YamlSource, path: Path): LinkPart {
  const ends = endsAt(source, path, linkSchema);
  return { layer: layerAt(source, path, linkSchema), ecmp: ecmpOf(source, path), ends };
}

function ecmpOf(source: YamlSource, link: Path): Layer[] | null | undefined {
  const path = [...link, 'ecmp'];
  const given = mappingAt(source, link);
  if (given === null || mayBeMisspelt(linkSchema, given, 'ecmp')) return null;
  if (valueAt(source, path) === undefined) return undefined;
  const members = itemsAt(source, path);
  if (members.length === 0 || members.length > LIMITS.labMembersMax) return null;
  return members.map((_, member) => layerAt(source, [...path, member]));
}

/** What any of these links says may be true of every direction. */
function standIn(links: readonly LinkPart[]): LinkPart[] {
  if (links.length === 0) return [];
  const open = new Set(links.flatMap(({ layer }) => [...Object.keys(layer.fields), ...layer.open]));
  const ecmp = links.some((link) => link.ecmp !== undefined) ? null : undefined;
  return [{ layer: { path: ['links'], fields: {}, open }, ecmp, ends: null }];
}
