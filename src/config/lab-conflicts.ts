/** Values of a scenario that are right alone and wrong together. */

import type { IpFamily } from '../base/ip-address.ts';
import { duplicates } from './duplicates.ts';
import { behaviourConflicts } from './lab-behaviour-conflicts.ts';
import { labDirections } from './lab-directions.ts';
import { endConflicts } from './lab-ends.ts';
import { eventConflicts } from './lab-event-conflicts.ts';
import { meshOf, meshOfBothFamilies } from './lab-mesh.ts';
import { nameConflicts } from './lab-names.ts';
import { changesByWay, labEvents, type LabPopPart, labPops } from './lab-parts.ts';
import { tooLongRoundTrips } from './lab-round-trips.ts';
import { meshConflicts } from './mesh-conflicts.ts';
import { meshExcesses } from './mesh-excesses.ts';
import { FAMILIES, stampNeeds } from './mesh-parts.ts';
import { icmpSchema, stampSchema } from './mesh-schema.ts';
import type { ConfigProblem, Fault } from './problem.ts';
import { dotted, type Path } from './quote.ts';
import { soundPart } from './sound-part.ts';
import { itemsAt, placeOf, problemAt, type YamlSource } from './yaml-source.ts';

/** Looks at every part that is sound in itself, so that a mistake elsewhere in the file hides nothing here. */
export function labConflicts(source: YamlSource): ConfigProblem[] {
  const pops = labPops(source);
  const directions = labDirections(source, pops);
  const changes = changesByWay(labEvents(source));
  return [
    ...meshConflicts(meshOfBothFamilies(source)),
    ...meshExcesses(meshOf(source, pops ?? [])),
    ...repeatedFamilies(source),
    ...nameConflicts(source, pops),
    ...endConflicts(source),
    ...eventConflicts(source, directions, changes),
    ...behaviourConflicts(source, pops ?? [], directions, changes),
    ...tooLongRoundTrips(source, directions, changes),
    ...(pops === null ? [] : [...lonelyFamilies(source, pops), ...offsetsThatAreSigned(source, pops)]),
  ];
}

function repeatedFamilies(source: YamlSource): ConfigProblem[] {
  const lists: Path[] = [['families'], ...itemsAt(source, ['pops']).map((_, pop) => ['pops', pop, 'families'])];
  return lists.flatMap((list) => {
    const entries = itemsAt(source, list).flatMap((family, index) =>
      typeof family === 'string' ? [{ path: [...list, index], identity: family }] : [],
    );
    return duplicates(source, entries, 'a family that is listed once');
  });
}

/** A class probes nothing unless two PoPs have its family; a PoP of which that is open is given the benefit. */
function lonelyFamilies(source: YamlSource, pops: readonly LabPopPart[]): ConfigProblem[] {
  if (pops.length < 2) return [];
  const able = (family: IpFamily): number => pops.filter(({ families }) => families?.includes(family) ?? true).length;
  return itemsAt(source, ['probes']).flatMap((probe, index) => {
    const part = soundPart(stampSchema, probe, ['kind', 'family']) ?? soundPart(icmpSchema, probe, ['kind', 'family']);
    if (part === null || able(part.family) >= 2) return [];
    const other = FAMILIES.find((family) => family !== part.family) ?? part.family;
    return conflict(source, ['probes', index, 'family'], {
      expected: `a family that two PoPs have (${placeOf(source, ['pops'])})`,
      found: `${part.family}, which ${able(part.family)} of ${pops.length} have`,
      remedy: `write ${other}, or add ${part.family} to the families of more PoPs`,
    });
  });
}

/** The emulator sets a clock wrong by rewriting timestamps, which would break what signs them. */
function offsetsThatAreSigned(source: YamlSource, pops: readonly LabPopPart[]): ConfigProblem[] {
  const authenticated = stampNeeds(source).find((needs) => needs.authenticated);
  if (authenticated === undefined) return [];
  const path = ['probes', authenticated.index, 'authenticated'];
  return pops.flatMap(({ index, clockOffsetMs }) => {
    if (clockOffsetMs === null || clockOffsetMs === 0) return [];
    return conflict(source, ['pops', index, 'clock_offset_ms'], {
      expected: `0, because ${dotted(path)} at ${placeOf(source, path)} is true and signed timestamps cannot be moved`,
      found: `${clockOffsetMs}`,
      remedy: 'remove the offset, or the authenticated class',
    });
  });
}

function conflict(source: YamlSource, path: Path, parts: Omit<Fault, 'code'>): ConfigProblem[] {
  return [problemAt(source, path, { code: 'config_conflict', ...parts })];
}
