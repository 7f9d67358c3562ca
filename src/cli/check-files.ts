/** Checks configuration files of every kind and reports on each of them. */

import { resolve } from 'node:path';
import { LIMITS } from '../base/limits.ts';
import { loadAgentConfig } from '../config/agent-config.ts';
import { AGENT_SCHEMA } from '../config/agent-schema.ts';
import { COLLECTOR_SCHEMA, loadCollectorConfig } from '../config/collector-config.ts';
import { openConfigFile } from '../config/config-file.ts';
import { agentKeyProblems, collectorKeyProblems } from '../config/key-problems.ts';
import { loadLabScenario } from '../config/lab-config.ts';
import { LAB_SCHEMA } from '../config/lab-schema.ts';
import { type AgentBudget, agentBudget, meshBudget } from '../config/mesh-budget.ts';
import type { MeshConfig } from '../config/mesh-config.ts';
import { MESH_SCHEMA } from '../config/mesh-schema.ts';
import { nearest } from '../config/nearest.ts';
import { openMesh, toMeshConfig } from '../config/open-mesh.ts';
import { type ConfigProblem, formatProblem } from '../config/problem.ts';
import { quote } from '../config/quote.ts';
import { problemAt, valueAt, type YamlSource } from '../config/yaml-source.ts';
import { UNKNOWN } from '../config/yaml-values.ts';
import { chanceOfReaching } from '../stats/flow-coverage.ts';

const SCHEMAS = [MESH_SCHEMA, AGENT_SCHEMA, COLLECTOR_SCHEMA, LAB_SCHEMA];

export interface CheckReport {
  /** No problem in any file. */
  ok: boolean;
  /** Of a sound file one line and its notes, and one per problem. */
  lines: string[];
}

/** `summary` says in a few words what a sound file sets up, `notes` what else is good to know of it, a line each. */
type Verdict =
  | { summary: string; notes?: readonly string[]; problems: readonly [] }
  | { summary: null; problems: readonly ConfigProblem[] };

/** Parallel links between two PoPs of which a mesh's flows may miss one. */
const PARALLEL_LINKS = [2, 4, 8];

/** Checks the files in order. A problem that several of them lead to, as in a shared mesh, is reported once. */
export async function checkFiles(files: readonly string[]): Promise<CheckReport> {
  const lines: string[] = [];
  const reported = new Set<string>();
  let ok = true;
  for (const file of files) {
    const verdict = await checkFile(file);
    if (verdict.summary !== null) {
      lines.push(`${file}: ok (${verdict.summary})`);
      for (const note of verdict.notes ?? []) lines.push(`${file}: ${note}`);
      continue;
    }
    ok = false;
    for (const problem of verdict.problems) {
      const identity = formatProblem({ ...problem, file: resolve(problem.file) });
      if (reported.has(identity)) continue;
      reported.add(identity);
      if (reported.size <= LIMITS.configProblemsMax) lines.push(formatProblem(problem));
    }
  }
  const unshown = reported.size - LIMITS.configProblemsMax;
  if (unshown > 0) lines.push(`and ${unshown} more problems`);
  return { ok, lines };
}

async function checkFile(file: string): Promise<Verdict> {
  const { source, problems } = openConfigFile(file);
  if (source === null) return { summary: null, problems };
  const schema = valueAt(source, ['schema']);
  // A file that nearly says what it is has the rest checked too; its loader reports the misspelt line.
  switch (typeof schema === 'string' ? nearest(schema, SCHEMAS) : null) {
    case MESH_SCHEMA:
      return checkMesh(file);
    case AGENT_SCHEMA:
      return checkAgent(file, source);
    case COLLECTOR_SCHEMA:
      return checkCollector(file, source);
    case LAB_SCHEMA:
      return checkLab(file);
    default:
      return { summary: null, problems: [...problems, ...unknownSchema(source, schema)] };
  }
}

function checkMesh(file: string): Verdict {
  const { config, problems } = openMesh(file).loaded;
  if (config === null) return { summary: null, problems };
  const summary = `mesh ${config.name}: ${config.pops.length} PoPs; ${most(config)}`;
  return { summary, notes: config.probes.flatMap(coverage), problems: [] };
}

/** Whoever knows the links between PoPs sees whether the flows of a class are enough for them. */
function coverage(probe: MeshConfig['probes'][number]): string[] {
  if (probe.kind !== 'stamp') return [];
  const { name, flows } = probe;
  const chances = PARALLEL_LINKS.map((links) => Math.floor(chanceOfReaching(flows, links) * 100));
  const what = flows === 1 ? '1 flow reaches' : `${flows} flows reach`;
  return [`class ${name}: ${what} any one of ${PARALLEL_LINKS.join(', ')} parallel links with ${chances.join(', ')} %`];
}

function most(mesh: MeshConfig): string {
  const families = new Set(mesh.pops.map(({ ipv4, ipv6 }) => `${ipv4 !== null} ${ipv6 !== null}`));
  return `${families.size === 1 ? 'each agent' : 'the busiest agent'}: ${load(meshBudget(mesh))}`;
}

async function checkAgent(file: string, source: YamlSource): Promise<Verdict> {
  const { config, problems } = loadAgentConfig(file);
  const all = [...problems, ...(await agentKeyProblems(source))];
  if (config === null || all.length > 0) return { summary: null, problems: all };
  const self = config.mesh.pops.find(({ name }) => name === config.pop);
  const budget = self === undefined ? meshBudget(config.mesh) : agentBudget(config.mesh, self);
  return { summary: `agent ${config.pop} of mesh ${config.mesh.name}: ${load(budget)}`, problems: [] };
}

async function checkCollector(file: string, source: YamlSource): Promise<Verdict> {
  const { config, problems } = loadCollectorConfig(file);
  const all = [...problems, ...(await collectorKeyProblems(source))];
  if (config === null || all.length > 0) return { summary: null, problems: all };
  const { listen, pops } = config;
  const keys = pops.reduce((count, { keys: own }) => count + own.length, 0);
  return {
    summary: `collector on ${listen.host} port ${listen.port}: ${pops.length} PoPs, ${keys} keys`,
    problems: [],
  };
}

function checkLab(file: string): Verdict {
  const { config, problems } = loadLabScenario(file);
  if (config === null) return { summary: null, problems };
  const { name, mesh } = config;
  return { summary: `lab ${name}: ${mesh.pops.length} PoPs; ${most(toMeshConfig(mesh))}`, problems: [] };
}

function load({ peers, paths, probesPerSecond }: AgentBudget): string {
  return `${peers} peers, ${paths} paths, ${Math.round(probesPerSecond * 10) / 10} probes/s`;
}

function unknownSchema(source: YamlSource, schema: unknown): ConfigProblem[] {
  // What nobody knows has been reported as the fault that it is.
  if (schema === UNKNOWN || source.value === UNKNOWN) return [];
  const fault = {
    code: schema === undefined ? 'config_missing_key' : 'config_invalid_value',
    expected: `${SCHEMAS.slice(0, -1).join(', ')} or ${SCHEMAS.at(-1)}`,
    found: schema === undefined ? 'no such key' : quote(schema),
    remedy: 'begin the file with the line that says what it is; what else is wrong shows then',
  } as const;
  return [problemAt(source, ['schema'], fault)];
}
