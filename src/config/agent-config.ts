/** What one agent needs to know: who it is, its mesh, its key, its collector, its files. */

import { digestOf } from '../protocol/digest.ts';
import { agentConflicts } from './agent-conflicts.ts';
import { type AgentFile, agentSchema, reflectorSchema } from './agent-schema.ts';
import { besideFile, resolveBeside } from './beside-file.ts';
import { defaultTickMs } from './default-tick.ts';
import { openConfigFile } from './config-file.ts';
import { freezeDeep } from './freeze.ts';
import { canonicalAddress } from './ip-address.ts';
import type { MeshConfig } from './mesh-config.ts';
import { type OpenedMesh, openMesh } from './open-mesh.ts';
import { type ConfigProblem, inReadingOrder, type Loaded } from './problem.ts';
import { filePath } from './schema-parts.ts';
import { validate } from './validate.ts';
import { problemAt, valueAt, type YamlSource } from './yaml-source.ts';

/** How this agent answers STAMP packets. */
interface ReflectorConfig {
  readonly mode: 'stateful' | 'stateless';
  readonly packetsPerSecondPerSession: number;
  /** TWAMP-Light senders, whose packets have no SSID, by the address and port they send from. */
  readonly twampSenders: readonly { readonly address: string; readonly port: number }[];
}

/** Where summaries go, and how. All paths are absolute. */
export interface CollectorTarget {
  /** At least one, the preferred one first, as they stand in the file. */
  readonly urls: readonly [string, ...string[]];
  /** Certificates to trust instead of the public ones; null trusts the public ones. */
  readonly caFile: string | null;
  readonly clientCertificate: { readonly certificateFile: string; readonly keyFile: string } | null;
  /** `http://host:port` of an HTTP proxy, or null. */
  readonly proxy: string | null;
}

/** All paths are absolute. */
export interface AgentConfig {
  /** Its own name; one of `mesh.pops`. */
  readonly pop: string;
  readonly mesh: MeshConfig;
  readonly keyFile: string;
  /** The successor of the key in `keyFile`; null when there is none. */
  readonly nextKeyFile: string | null;
  /** Folder of the keys of authenticated STAMP sessions; not null when the mesh has an authenticated class. */
  readonly stampKeys: string | null;
  readonly reflector: ReflectorConfig;
  readonly collector: CollectorTarget;
  readonly spool: { readonly directory: string; readonly maxBytes: number; readonly maxAgeH: number };
  readonly statusSocket: string;
  readonly tickMs: number;
  readonly transport: AgentFile['transport'];
  readonly logLevel: AgentFile['log_level'];
  /** SHA-256 over the octets of agent.yaml followed by those of mesh.yaml, base64url. */
  readonly digest: string;
}

/** Reads agent.yaml and the mesh.yaml it names; reports the problems of both. Never throws for what they contain. */
export function loadAgentConfig(file: string): Loaded<AgentConfig> {
  const { source, problems: ofYaml } = openConfigFile(file);
  if (source === null) return { config: null, problems: ofYaml };
  const { value, problems: violations } = validate(source, agentSchema);
  const mesh = openNamedMesh(source);
  const own = [...ofYaml, ...violations, ...agentConflicts(source, mesh.source)];
  const problems = [...inReadingOrder(own), ...mesh.loaded.problems.map((p) => placedWhereNamed(source, p))];
  if (value === null || mesh.source === null || mesh.loaded.config === null || problems.length > 0) {
    return { config: null, problems };
  }
  const config = freezeDeep<AgentConfig>({
    pop: value.pop,
    mesh: mesh.loaded.config,
    keyFile: resolveBeside(file, value.key_file),
    nextKeyFile: value.next_key_file === undefined ? null : resolveBeside(file, value.next_key_file),
    stampKeys: value.stamp_keys === undefined ? null : resolveBeside(file, value.stamp_keys),
    reflector: toReflectorConfig(value.reflector),
    collector: toCollectorTarget(file, value.collector),
    spool: {
      directory: resolveBeside(file, value.spool.directory),
      maxBytes: value.spool.max_bytes,
      maxAgeH: value.spool.max_age_h,
    },
    statusSocket: resolveBeside(file, value.status_socket),
    tickMs: value.tick_ms ?? defaultTickMs(mesh.loaded.config.probes.map(({ intervalMs }) => intervalMs)),
    transport: value.transport,
    logLevel: value.log_level,
    digest: digestOf(Buffer.concat([source.octets, mesh.source.octets])),
  });
  return { config, problems: [] };
}

function toReflectorConfig(given: AgentFile['reflector']): ReflectorConfig {
  const { mode, packets_per_second_per_session, twamp_senders } = reflectorSchema.parse(given ?? {});
  return {
    mode,
    packetsPerSecondPerSession: packets_per_second_per_session,
    twampSenders: twamp_senders.map(({ address, port }) => ({ address: canonicalAddress(address), port })),
  };
}

/** `agentConflicts` has seen that either `url` or `urls` is there. */
function toCollectorTarget(file: string, given: AgentFile['collector']): CollectorTarget {
  const { url = '', urls = [url], ca_file, client_certificate, proxy } = given;
  const [first = url, ...others] = urls;
  return {
    urls: [first, ...others],
    caFile: ca_file === undefined ? null : resolveBeside(file, ca_file),
    clientCertificate:
      client_certificate === undefined
        ? null
        : {
            certificateFile: resolveBeside(file, client_certificate.certificate_file),
            keyFile: resolveBeside(file, client_certificate.key_file),
          },
    proxy: proxy ?? null,
  };
}

/** The mesh is read as soon as its path makes sense, whatever else is wrong: all mistakes come at once. */
export function openNamedMesh(source: YamlSource): OpenedMesh {
  const { success, data } = filePath.safeParse(valueAt(source, ['mesh']));
  return success ? openMesh(besideFile(source.file, data)) : { loaded: { config: null, problems: [] }, source: null };
}

/** A mesh file that is not there has no line of its own: the mistake is in the line that names it. */
function placedWhereNamed(source: YamlSource, problem: ConfigProblem): ConfigProblem {
  if (problem.code !== 'config_unreadable') return problem;
  const { code, file, expected, found, remedy } = problem;
  return problemAt(source, ['mesh'], { code, expected, found: `${found}: ${file}`, remedy });
}
