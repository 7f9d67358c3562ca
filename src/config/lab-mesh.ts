/** The mesh within a scenario: as a source for the checks of a mesh.yaml, whose places are those of the scenario. */

import type { IpFamily } from '../base/ip-address.ts';
import type { LabPopPart } from './lab-parts.ts';
import { labPopSchema, labSchema } from './lab-schema.ts';
import { FAMILIES } from './mesh-parts.ts';
import { MESH_SCHEMA, meshSchema, popSchema } from './mesh-schema.ts';
import { itemsAt, mappingAt, type YamlSource } from './yaml-source.ts';

/** Of the collector's host: no PoP has it, because there are fewer. */
export const COLLECTOR_ADDRESSES: Record<IpFamily, string> = { ipv4: '198.18.255.1', ipv6: '2001:db8:ff::1' };

/**
 * Addresses of the PoP at this place: of the range for benchmarks (RFC 2544 section C.2.2) and of that for documentation
 * (RFC 3849), which are on no real network. null in a family that it has not.
 */
export function labAddresses(index: number, families: readonly IpFamily[]): Record<IpFamily, string | null> {
  const place = index + 1;
  return {
    ipv4: families.includes('ipv4') ? `198.18.${place}.1` : null,
    ipv6: families.includes('ipv6') ? `2001:db8:${place.toString(16)}::1` : null,
  };
}

/** With an address in each family that the PoP is known to have: what is open costs nothing. */
export function meshOf(source: YamlSource, pops: readonly LabPopPart[]): YamlSource {
  return meshWith(source, (index) => pops[index]?.families ?? []);
}

/** With addresses of both families everywhere, for checks that would otherwise ask for addresses. */
export function meshOfBothFamilies(source: YamlSource): YamlSource {
  return meshWith(source, () => FAMILIES);
}

function meshWith(source: YamlSource, familiesOf: (index: number) => readonly IpFamily[]): YamlSource {
  const file = mappingAt(source, []);
  if (file === null) return source;
  const shared = without(file, (key) => Object.hasOwn(labSchema.shape, key) && !Object.hasOwn(meshSchema.shape, key));
  const window_s = file['window_s'] ?? labSchema.shape.window_s.parse(undefined);
  const pops = itemsAt(source, ['pops']).map((pop, index) => {
    const given = mappingAt(source, ['pops', index]);
    return given === null ? pop : popWith(given, index, familiesOf(index));
  });
  return { ...source, value: { ...shared, schema: MESH_SCHEMA, window_s, pops } };
}

/** What the scenario's PoPs do not have is dropped; an unknown key is kept, because it may be the name misspelt. */
function popWith(pop: Record<string, unknown>, index: number, families: readonly IpFamily[]): unknown {
  const known = { ...labPopSchema.shape, ...popSchema.shape };
  const kept = without(pop, (key) => key !== 'name' && Object.hasOwn(known, key));
  const { ipv4, ipv6 } = labAddresses(index, families);
  return { ...kept, id: index + 1, ...(ipv4 !== null && { ipv4 }), ...(ipv6 !== null && { ipv6 }) };
}

function without(mapping: Record<string, unknown>, isDropped: (key: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(mapping).filter(([key]) => !isDropped(key)));
}
