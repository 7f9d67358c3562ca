/** From mesh.yaml to a checked mesh. */

import { openConfigFile } from './config-file.ts';
import { freezeDeep } from './freeze.ts';
import { meshBudgetProblems } from './mesh-budget.ts';
import type { MeshConfig, ProbeClass } from './mesh-config.ts';
import { meshConflicts } from './mesh-conflicts.ts';
import { type MeshFile, meshSchema } from './mesh-schema.ts';
import { inReadingOrder, type Loaded } from './problem.ts';
import { validate } from './validate.ts';
import type { YamlSource } from './yaml-source.ts';

/** A mesh with its source, which an agent's configuration needs for places and for the digest. */
export interface OpenedMesh {
  loaded: Loaded<MeshConfig>;
  /** null when the file is not even YAML. */
  source: YamlSource | null;
}

/** Reads, checks and freezes mesh.yaml. Never throws for what it may contain. */
export function openMesh(file: string): OpenedMesh {
  const { source, problems: syntax } = openConfigFile(file);
  if (source === null) return { loaded: { config: null, problems: syntax }, source };
  const { value, problems: violations } = validate(source, meshSchema);
  const problems = [...violations, ...meshConflicts(source)];
  if (value === null || problems.length > 0) {
    return { loaded: { config: null, problems: inReadingOrder(problems) }, source };
  }
  const config = freezeDeep(toMeshConfig(value));
  const excesses = meshBudgetProblems(config, source);
  if (excesses.length > 0) return { loaded: { config: null, problems: excesses }, source };
  return { loaded: { config, problems: [] }, source };
}

function toMeshConfig(file: MeshFile): MeshConfig {
  return {
    name: file.name,
    windowS: file.window_s,
    tmaxMs: file.tmax_ms,
    pops: file.pops.map(({ name, id, ipv4, stamp_port }) => ({
      name,
      id,
      ipv4,
      stampPort: stamp_port ?? file.stamp_port,
    })),
    probes: file.probes.map(toProbeClass),
  };
}

function toProbeClass(probe: MeshFile['probes'][number]): ProbeClass {
  const { name, interval_ms: intervalMs, size_bytes: sizeBytes, dscp } = probe;
  if (probe.kind === 'icmp') return { name, kind: 'icmp', intervalMs, sizeBytes, dscp };
  return { name, kind: 'stamp', intervalMs, sizeBytes, dscp, flows: probe.flows, sourcePort: probe.source_port };
}
