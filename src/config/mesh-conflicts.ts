/** Values of a mesh that are right alone and wrong together. */

import type { IpFamily } from '../base/ip-address.ts';
import { LIMITS } from '../base/limits.ts';
import { duplicates, type Entry, entriesOf } from './duplicates.ts';
import { addressOf, FAMILIES, popParts, stampNeeds } from './mesh-parts.ts';
import { portConflicts } from './mesh-ports.ts';
import { icmpSchema, popSchema, stampSchema } from './mesh-schema.ts';
import type { ConfigProblem, Fault } from './problem.ts';
import { listed, type Path, quote } from './quote.ts';
import { soundPart } from './sound-part.ts';
import { stampBytesNeeded, TLV_HEADER_BYTES } from './stamp-size.ts';
import { itemsAt, placeOf, problemAt, type YamlSource } from './yaml-source.ts';

/** Looks at every part that is sound in itself, so that a mistake elsewhere in the file hides nothing here. */
export function meshConflicts(source: YamlSource): ConfigProblem[] {
  return [
    ...duplicates(source, entriesOf(source, ['pops'], 'name'), 'a name that no other PoP has'),
    ...duplicates(source, entriesOf(source, ['pops'], 'id'), 'an id that no other PoP has'),
    ...FAMILIES.flatMap((family) => duplicates(source, addresses(source, family), 'an address that no other PoP has')),
    ...duplicates(source, entriesOf(source, ['probes'], 'name'), 'a name that no other probe class has'),
    ...popsWithoutAddress(source),
    ...lonelyFamilies(source),
    ...repeatedTlvs(source),
    ...badSizes(source),
    ...tooMuchForTwampLight(source),
    ...ambiguousSessions(source),
    ...portConflicts(source),
  ];
}

function addresses(source: YamlSource, family: IpFamily): Entry[] {
  return itemsAt(source, ['pops']).flatMap((pop, index) => {
    const identity = addressOf(pop, family);
    return identity === null ? [] : [{ path: ['pops', index, family], identity }];
  });
}

function popsWithoutAddress(source: YamlSource): ConfigProblem[] {
  const fault: Fault = {
    code: 'config_missing_key',
    expected: 'an address, ipv4 or ipv6 or both',
    found: 'no such key',
    remedy: 'add the key "ipv4" or "ipv6"',
  };
  return itemsAt(source, ['pops']).flatMap((pop, index) => {
    if (typeof pop !== 'object' || pop === null || Array.isArray(pop)) return [];
    return FAMILIES.some((family) => Object.hasOwn(pop, family)) ? [] : [problemAt(source, ['pops', index], fault)];
  });
}

/** A class probes nothing unless two PoPs have an address of its family; a PoP that may have one is given the benefit. */
function lonelyFamilies(source: YamlSource): ConfigProblem[] {
  const pops = popParts(source);
  if (pops.length < 2) return [];
  const able = (family: IpFamily): number => pops.filter(({ has }) => has[family] !== false).length;
  return itemsAt(source, ['probes']).flatMap((probe, index) => {
    const part = soundPart(stampSchema, probe, ['kind', 'family']) ?? soundPart(icmpSchema, probe, ['kind', 'family']);
    if (part === null || able(part.family) >= 2) return [];
    return conflict(source, ['probes', index, 'family'], {
      expected: `a family in which two PoPs have an address (${placeOf(source, ['pops'])})`,
      found: `${part.family}, in which ${able(part.family)} of ${pops.length} have one`,
      remedy: `choose the other family, or give more PoPs the key "${part.family}"`,
    });
  });
}

function repeatedTlvs(source: YamlSource): ConfigProblem[] {
  return itemsAt(source, ['probes']).flatMap((_, probe) => {
    const path = ['probes', probe, 'tlvs'];
    const entries = itemsAt(source, path).flatMap((tlv, index) =>
      typeof tlv === 'string' ? [{ path: [...path, index], identity: tlv }] : [],
    );
    return duplicates(source, entries, 'a TLV that is listed once');
  });
}

function badSizes(source: YamlSource): ConfigProblem[] {
  return itemsAt(source, ['probes']).flatMap((probe, index) => {
    const path = ['probes', index, 'size_bytes'];
    const part =
      soundPart(stampSchema, probe, ['kind', 'family', 'size_bytes']) ??
      soundPart(icmpSchema, probe, ['kind', 'family', 'size_bytes']);
    if (part?.size_bytes === undefined) return [];
    if (part.family === 'ipv6' && part.size_bytes > LIMITS.packetBytesMaxIpv6) {
      return conflict(source, path, {
        expected: `at most ${LIMITS.packetBytesMaxIpv6} octets in a class of family ipv6, which routers do not fragment`,
        found: `${part.size_bytes}`,
        remedy: 'lower size_bytes',
      });
    }
    return part.kind === 'stamp' ? badStampSize(source, path, probe, part.size_bytes) : [];
  });
}

/** What base packet and TLVs leave of the size is an Extra Padding TLV, or nothing. */
function badStampSize(source: YamlSource, path: Path, probe: unknown, size: number): ConfigProblem[] {
  const part = soundPart(stampSchema, probe, ['authenticated', 'tlvs']);
  if (part === null) return [];
  const needed = stampBytesNeeded(part.authenticated, [...new Set(part.tlvs)]);
  const rest = size - needed;
  if (rest < 0) {
    return conflict(source, path, {
      expected: `at least ${needed} octets, which the packet and its TLVs need`,
      found: `${size}`,
      remedy: `write ${needed}, or leave size_bytes out`,
    });
  }
  if (rest === 0 || rest >= TLV_HEADER_BYTES) return [];
  const next = needed + TLV_HEADER_BYTES;
  return conflict(source, path, {
    expected: `${needed} octets, or ${next} and more with an Extra Padding TLV`,
    found: `${size}`,
    remedy: `write ${needed} or ${next}`,
  });
}

/** A TWAMP-Light reflector does not know what these classes need. */
function tooMuchForTwampLight(source: YamlSource): ConfigProblem[] {
  const reflectors = itemsAt(source, ['pops']).map((pop) => soundPart(popSchema, pop, ['reflector'])?.reflector);
  const pops = popParts(source).filter(({ index }) => reflectors[index] === 'twamp_light');
  return stampNeeds(source).flatMap(({ index, family, authenticated, tlvs }) => {
    const places = pops
      .filter(({ has }) => has[family] === true)
      .map((p) => placeOf(source, ['pops', p.index, 'reflector']));
    if (places.length === 0) return [];
    const because = `the reflector at ${listed(places)} is twamp_light`;
    const fault = (expected: string, found: string): Omit<Fault, 'code'> => ({
      expected: `${expected}, because ${because}`,
      found,
      remedy: 'change the class, or that PoP',
    });
    return [
      ...(authenticated
        ? conflict(source, ['probes', index, 'authenticated'], fault('a class that is not authenticated', 'true'))
        : []),
      ...(tlvs.length > 0
        ? conflict(source, ['probes', index, 'tlvs'], fault('a class without TLVs', listed(tlvs)))
        : []),
    ];
  });
}

/** The keys of `a` to `b-to-c` and of `a-to-b` to `c` would be one file (stamp-keys.ts). */
function ambiguousSessions(source: YamlSource): ConfigProblem[] {
  const authenticated = stampNeeds(source).find((needs) => needs.authenticated);
  if (authenticated === undefined) return [];
  const place = placeOf(source, ['probes', authenticated.index, 'authenticated']);
  return popParts(source).flatMap(({ index, name }) => {
    if (name === null || !/^to-|-to-|-to$/.test(name)) return [];
    return conflict(source, ['pops', index, 'name'], {
      expected: `a name without the word "to", by which the key files of authenticated sessions are named (${place})`,
      found: quote(name),
      remedy: 'choose another name',
    });
  });
}

function conflict(source: YamlSource, path: Path, parts: Omit<Fault, 'code'>): ConfigProblem[] {
  return [problemAt(source, path, { code: 'config_conflict', ...parts })];
}
