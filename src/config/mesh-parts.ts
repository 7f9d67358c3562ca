/** What can be relied upon in a mesh.yaml that may have mistakes, for checks of several parts together. */

import type { IpFamily } from '../base/ip-address.ts';
import { canonicalAddress } from './ip-address.ts';
import type { StampTlv } from './mesh-config.ts';
import { icmpSchema, popSchema, stampSchema } from './mesh-schema.ts';
import { mayBeMisspelt, soundPart } from './sound-part.ts';
import { stampBytesNeeded } from './stamp-size.ts';
import { itemsAt, type YamlSource } from './yaml-source.ts';

export const FAMILIES = ['ipv4', 'ipv6'] as const;

export interface PopPart {
  index: number;
  /** null when it is wrong or missing. */
  name: string | null;
  /** Whether there is an address of the family; null where a mistake leaves that open. */
  has: Readonly<Record<IpFamily, boolean | null>>;
}

/** Every item of `pops`, whatever it is. */
export function popParts(source: YamlSource): PopPart[] {
  return itemsAt(source, ['pops']).map((pop, index) => {
    const name = soundPart(popSchema, pop, ['name'])?.name ?? null;
    const [ipv4, ipv6] = [hasAddress(pop, 'ipv4'), hasAddress(pop, 'ipv6')];
    // Without any address, it is not known which one is missing.
    const has = ipv4 === false && ipv6 === false ? { ipv4: null, ipv6: null } : { ipv4, ipv6 };
    return { index, name, has };
  });
}

function hasAddress(pop: unknown, family: IpFamily): boolean | null {
  if (typeof pop !== 'object' || pop === null || mayBeMisspelt(popSchema, pop, family)) return null;
  if (!Object.hasOwn(pop, family)) return false;
  return soundPart(popSchema, pop, [family]) === null ? null : true;
}

/** The address of a PoP in its one spelling, or null when it is wrong or missing. */
export function addressOf(pop: unknown, family: IpFamily): string | null {
  const address = soundPart(popSchema, pop, [family])?.[family];
  return address === undefined ? null : canonicalAddress(address);
}

/** What of a probe class costs something. */
export interface ClassPart {
  index: number;
  family: IpFamily;
  intervalMs: number;
  flows: number;
  sizeBytes: number;
}

/** The probe classes of which is known what they send. */
export function classParts(source: YamlSource): ClassPart[] {
  return itemsAt(source, ['probes']).flatMap((probe, index) => {
    const shared = ['kind', 'family', 'interval_ms', 'size_bytes'] as const;
    const icmp = soundPart(icmpSchema, probe, shared);
    if (icmp !== null) {
      return [{ index, family: icmp.family, intervalMs: icmp.interval_ms, flows: 1, sizeBytes: icmp.size_bytes }];
    }
    const stamp = soundPart(stampSchema, probe, [...shared, 'flows', 'authenticated', 'tlvs']);
    if (stamp === null) return [];
    const sizeBytes = stamp.size_bytes ?? stampBytesNeeded(stamp.authenticated, stamp.tlvs);
    return [{ index, family: stamp.family, intervalMs: stamp.interval_ms, flows: stamp.flows, sizeBytes }];
  });
}

export interface StampNeeds {
  index: number;
  family: IpFamily;
  authenticated: boolean;
  tlvs: readonly StampTlv[];
}

/** The stamp classes of which is known what the other side must be able to do. */
export function stampNeeds(source: YamlSource): StampNeeds[] {
  return itemsAt(source, ['probes']).flatMap((probe, index) => {
    const part = soundPart(stampSchema, probe, ['kind', 'family']);
    if (part === null) return [];
    const authenticated = soundPart(stampSchema, probe, ['authenticated'])?.authenticated ?? false;
    const tlvs = soundPart(stampSchema, probe, ['tlvs'])?.tlvs ?? [];
    return [{ index, family: part.family, authenticated, tlvs }];
  });
}
