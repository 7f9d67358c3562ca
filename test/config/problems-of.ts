/** Loads a configuration file by the kind that its name begins with, and gives its problems as text. */

import { basename } from 'node:path';
import { loadAgentConfig } from '../../src/config/agent-config.ts';
import { loadCollectorConfig } from '../../src/config/collector-config.ts';
import { loadLabScenario } from '../../src/config/lab-config.ts';
import { openMesh } from '../../src/config/open-mesh.ts';
import { formatProblem, type Loaded } from '../../src/config/problem.ts';

export function problemsOf(file: string): string[] {
  return load(file).problems.map(formatProblem);
}

function load(file: string): Loaded<unknown> {
  const name = basename(file);
  if (name.startsWith('agent')) return loadAgentConfig(file);
  if (name.startsWith('lab')) return loadLabScenario(file);
  return name.startsWith('collector') ? loadCollectorConfig(file) : openMesh(file).loaded;
}
