/** Tries the key files that a configuration names and reports each bad one at the line that names it. */

import { PopprobeError } from '../base/errors.ts';
import { resolveBeside } from './beside-file.ts';
import { keyFileEntries } from './collector-config.ts';
import { readPublicKey } from './public-key.ts';
import { readSigningKey } from './signing-key.ts';
import type { ConfigProblem } from './problem.ts';
import { dotted, type Path } from './quote.ts';
import { filePath } from './schema-parts.ts';
import { placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

/** The private key of an agent.yaml. */
export async function agentKeyProblems(source: YamlSource): Promise<ConfigProblem[]> {
  const path = ['key_file'];
  const { success, data } = filePath.safeParse(valueAt(source, path));
  if (!success) return [];
  const key = await attempt(source, path, () => readSigningKey(resolveBeside(source.file, data)));
  return 'problem' in key ? [key.problem] : [];
}

/** The public keys of a collector.yaml; also one key in two files, because a key speaks for one PoP. */
export async function collectorKeyProblems(source: YamlSource): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  const seen = new Map<string, Path>();
  for (const { path, identity } of keyFileEntries(source)) {
    const key = await attempt(source, path, () => readPublicKey(String(identity)));
    if ('problem' in key) {
      problems.push(key.problem);
      continue;
    }
    const { kid } = key.value;
    const first = seen.get(kid);
    if (first === undefined) {
      seen.set(kid, path);
    } else {
      const found = `the key ${kid}, which ${dotted(first)} has at ${placeOf(source, first)}`;
      const remedy = 'give every PoP a key of its own';
      problems.push(problemAt(source, path, { code: 'config_conflict', expected: 'another key', found, remedy }));
    }
  }
  return problems;
}

async function attempt<T>(
  source: YamlSource,
  path: Path,
  read: () => Promise<T>,
): Promise<{ value: T } | { problem: ConfigProblem }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (!(error instanceof PopprobeError)) throw error;
    const { code, expected, found, remedy } = error;
    return { problem: problemAt(source, path, { code, expected, found, remedy }) };
  }
}
