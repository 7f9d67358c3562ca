/** Loads a scenario: the emulated backbone, what its links do to packets, and what happens to it. */

import { openConfigFile } from './config-file.ts';
import { freezeDeep } from './freeze.ts';
import { labConflicts } from './lab-conflicts.ts';
import { resolveScenario } from './lab-resolve.ts';
import type { LabScenario } from './lab-scenario.ts';
import { labSchema } from './lab-schema.ts';
import { kindlessViolations } from './open-mesh.ts';
import { inReadingOrder, type Loaded } from './problem.ts';
import { validate } from './validate.ts';

/** Reads, checks, resolves and freezes a scenario file. Never throws for what it may contain. */
export function loadLabScenario(file: string): Loaded<LabScenario> {
  const { source, problems: ofYaml } = openConfigFile(file);
  if (source === null) return { config: null, problems: ofYaml };
  const { value, problems: violations } = validate(source, labSchema);
  const problems = [...ofYaml, ...violations, ...kindlessViolations(source), ...labConflicts(source)];
  if (value === null || problems.length > 0) return { config: null, problems: inReadingOrder(problems) };
  return { config: freezeDeep(resolveScenario(source, value)), problems: [] };
}
