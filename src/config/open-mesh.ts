/** From mesh.yaml to a checked mesh. */

import { openConfigFile } from './config-file.ts';
import { freezeDeep } from './freeze.ts';
import { canonicalAddress } from './ip-address.ts';
import type { MeshConfig, ProbeClass } from './mesh-config.ts';
import { meshConflicts } from './mesh-conflicts.ts';
import { meshExcesses } from './mesh-excesses.ts';
import { kindlessSchema, limitsSchema, type MeshFile, meshSchema, PROBE_KINDS } from './mesh-schema.ts';
import { type ConfigProblem, inReadingOrder, type Loaded } from './problem.ts';
import { stampBytesNeeded } from './stamp-size.ts';
import { validate, validateAt } from './validate.ts';
import { itemsAt, valueAt, type YamlSource } from './yaml-source.ts';

/** A mesh with its source, which an agent's configuration needs for places and for the digest. */
export interface OpenedMesh {
  loaded: Loaded<MeshConfig>;
  /** null when the file is not even YAML. */
  source: YamlSource | null;
}

/** Reads, checks and freezes mesh.yaml. Never throws for what it may contain. */
export function openMesh(file: string): OpenedMesh {
  const { source, problems: ofYaml } = openConfigFile(file);
  if (source === null) return { loaded: { config: null, problems: ofYaml }, source };
  const { value, problems: violations } = validate(source, meshSchema);
  const problems = [
    ...ofYaml,
    ...violations,
    ...kindlessViolations(source),
    ...meshConflicts(source),
    ...meshExcesses(source),
  ];
  if (value === null || problems.length > 0) {
    return { loaded: { config: null, problems: inReadingOrder(problems) }, source };
  }
  return { loaded: { config: freezeDeep(toMeshConfig(value)), problems: [] }, source };
}

/** A class without a kind fits neither schema, which then look no further: its other values are checked here. */
export function kindlessViolations(source: YamlSource): ConfigProblem[] {
  return itemsAt(source, ['probes']).flatMap((probe, index) => {
    if (typeof probe !== 'object' || probe === null || Array.isArray(probe)) return [];
    const kind = valueAt(source, ['probes', index, 'kind']);
    const isKnown = PROBE_KINDS.some((known) => known === kind);
    return isKnown ? [] : validateAt(source, ['probes', index], kindlessSchema).problems;
  });
}

/** The mesh that a file without mistakes describes. */
export function toMeshConfig(file: MeshFile): MeshConfig {
  const limits = limitsSchema.parse(file.limits ?? {});
  return {
    name: file.name,
    windowS: file.window_s,
    tmaxMs: file.tmax_ms,
    schedule: file.schedule,
    limits: {
      probesPerSecondPerPeer: limits.probes_per_second_per_peer,
      probesPerSecondPerAgent: limits.probes_per_second_per_agent,
      bitsPerSecondPerPeer: limits.bits_per_second_per_peer,
    },
    pops: file.pops.map(({ name, id, ipv4, ipv6, stamp_port, reflector }) => ({
      name,
      id,
      ipv4: ipv4 ?? null,
      ipv6: ipv6 === undefined ? null : canonicalAddress(ipv6),
      stampPort: stamp_port ?? file.stamp_port,
      reflector,
    })),
    probes: file.probes.map(toProbeClass),
  };
}

function toProbeClass(probe: MeshFile['probes'][number]): ProbeClass {
  const { name, family, interval_ms: intervalMs, dscp } = probe;
  const common = { name, family, intervalMs, dscp };
  if (probe.kind === 'icmp') return { ...common, kind: 'icmp', sizeBytes: probe.size_bytes };
  const { flows, source_port: sourcePort, authenticated, tlvs } = probe;
  const sizeBytes = probe.size_bytes ?? stampBytesNeeded(authenticated, tlvs);
  return { ...common, kind: 'stamp', sizeBytes, flows, sourcePort, authenticated, tlvs };
}
