/** What one agent needs to know: who it is, its mesh, its key, its collector, its files. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { digestOf } from '../protocol/digest.ts';
import { besideFile, resolveBeside } from './beside-file.ts';
import { openConfigFile } from './config-file.ts';
import { freezeDeep } from './freeze.ts';
import type { MeshConfig } from './mesh-config.ts';
import { nearest } from './nearest.ts';
import { type OpenedMesh, openMesh } from './open-mesh.ts';
import { type ConfigProblem, inReadingOrder, type Loaded } from './problem.ts';
import { quote } from './quote.ts';
import { configName, filePath, logLevel, schemaLine, wholeNumber } from './schema-parts.ts';
import { validate } from './validate.ts';
import { placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

export const AGENT_SCHEMA = 'popprobe.agent/1';

const COLLECTOR_URL = 'an http or https URL without user name, password, query and fragment';

const spoolBytes = wholeNumber(LIMITS.summaryBytesMax, LIMITS.spoolBytesMax, 'a number of octets');

export const agentSchema = z.strictObject({
  schema: schemaLine(AGENT_SCHEMA),
  pop: configName,
  mesh: filePath,
  key_file: filePath,
  collector: z.strictObject({ url: z.string(COLLECTOR_URL).refine(isCollectorUrl, COLLECTOR_URL) }),
  /** From one summary of the largest size on: a smaller spool could not keep what it is for. */
  spool: z.strictObject({ directory: filePath, max_bytes: spoolBytes.default(LIMITS.spoolBytesDefault) }),
  status_socket: filePath.default('/run/popprobe/agent.sock'),
  tick_ms: wholeNumber(LIMITS.tickMsMin, LIMITS.tickMsMax, 'a whole number of ms').default(LIMITS.tickMsDefault),
  log_level: logLevel,
});

/** All paths are absolute. */
export interface AgentConfig {
  /** Its own name; one of `mesh.pops`. */
  readonly pop: string;
  readonly mesh: MeshConfig;
  readonly keyFile: string;
  /** As it stands in the file. */
  readonly collectorUrl: string;
  readonly spool: { readonly directory: string; readonly maxBytes: number };
  readonly statusSocket: string;
  readonly tickMs: number;
  readonly logLevel: z.infer<typeof logLevel>;
  /** SHA-256 over the octets of agent.yaml followed by those of mesh.yaml, base64url. */
  readonly digest: string;
}

/** Reads agent.yaml and the mesh.yaml it names; reports the problems of both. Never throws for what they contain. */
export function loadAgentConfig(file: string): Loaded<AgentConfig> {
  const { source, problems: ofYaml } = openConfigFile(file);
  if (source === null) return { config: null, problems: ofYaml };
  const { value, problems: violations } = validate(source, agentSchema);
  const mesh = openNamedMesh(source);
  const own = [...ofYaml, ...violations, ...notInMesh(source, mesh.source), ...socketPathTooLong(source)];
  const problems = [...inReadingOrder(own), ...mesh.loaded.problems.map((p) => placedWhereNamed(source, p))];
  if (value === null || mesh.source === null || mesh.loaded.config === null || problems.length > 0) {
    return { config: null, problems };
  }
  const config = freezeDeep<AgentConfig>({
    pop: value.pop,
    mesh: mesh.loaded.config,
    keyFile: resolveBeside(file, value.key_file),
    collectorUrl: value.collector.url,
    spool: { directory: resolveBeside(file, value.spool.directory), maxBytes: value.spool.max_bytes },
    statusSocket: resolveBeside(file, value.status_socket),
    tickMs: value.tick_ms,
    logLevel: value.log_level,
    digest: digestOf(Buffer.concat([source.octets, mesh.source.octets])),
  });
  return { config, problems: [] };
}

/** The mesh is read as soon as its path makes sense, whatever else is wrong: all mistakes come at once. */
function openNamedMesh(source: YamlSource): OpenedMesh {
  const { success, data } = filePath.safeParse(valueAt(source, ['mesh']));
  return success ? openMesh(besideFile(source.file, data)) : { loaded: { config: null, problems: [] }, source: null };
}

/** A mesh file that is not there has no line of its own: the mistake is in the line that names it. */
function placedWhereNamed(source: YamlSource, problem: ConfigProblem): ConfigProblem {
  if (problem.code !== 'config_unreadable') return problem;
  const { code, file, expected, found, remedy } = problem;
  return problemAt(source, ['mesh'], { code, expected, found: `${found}: ${file}`, remedy });
}

function notInMesh(agent: YamlSource, mesh: YamlSource | null): ConfigProblem[] {
  const { success, data: pop } = configName.safeParse(valueAt(agent, ['pop']));
  if (!success || mesh === null) return [];
  const pops = valueAt(mesh, ['pops']);
  if (!Array.isArray(pops)) return [];
  const names = pops.map((_, index) => valueAt(mesh, ['pops', index, 'name'])).filter((n) => typeof n === 'string');
  if (names.includes(pop)) return [];
  const meant = nearest(pop, names);
  const fault = {
    code: 'config_conflict',
    expected: `the name of a PoP of the mesh (${placeOf(mesh, ['pops'])})`,
    found: quote(pop),
    remedy: meant === null ? 'correct the name, or add the PoP to the mesh' : `did you mean ${quote(meant)}?`,
  } as const;
  return [problemAt(agent, ['pop'], fault)];
}

function socketPathTooLong(source: YamlSource): ConfigProblem[] {
  const { success, data } = agentSchema.shape.status_socket.safeParse(valueAt(source, ['status_socket']));
  if (!success) return [];
  const bytes = Buffer.byteLength(resolveBeside(source.file, data));
  if (bytes <= LIMITS.socketPathBytesMax) return [];
  const fault = {
    code: 'config_invalid_value',
    expected: `a path of at most ${LIMITS.socketPathBytesMax} octets once it is absolute`,
    found: `${bytes} octets`,
    remedy: 'choose a shorter path, for example below /run',
  } as const;
  return [problemAt(source, ['status_socket'], fault)];
}

function isCollectorUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && `${username}${password}${search}${hash}` === '';
}
