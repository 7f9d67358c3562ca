/** Tries the key files that a configuration names and reports each bad one at the line that names it. */

import { PopprobeError } from '../base/errors.ts';
import { openNamedMesh } from './agent-config.ts';
import { resolveBeside } from './beside-file.ts';
import { keyFileEntries } from './collector-config.ts';
import { popParts, stampNeeds } from './mesh-parts.ts';
import { readPublicKey } from './public-key.ts';
import { readSigningKey } from './signing-key.ts';
import type { ConfigProblem } from './problem.ts';
import { dotted, type Path } from './quote.ts';
import { configName, filePath } from './schema-parts.ts';
import { readStampKeys } from './stamp-keys.ts';
import { readAuthorities, readCertificateChain, readCertificateKey, readClientCertificate } from './tls-files.ts';
import { placeOf, problemAt, valueAt, type YamlSource } from './yaml-source.ts';

/** The private keys of an agent.yaml, the certificates for its collector, and the keys of its authenticated STAMP sessions. */
export async function agentKeyProblems(source: YamlSource): Promise<ConfigProblem[]> {
  return [
    ...(await signingKeyProblems(source)),
    ...(await certificateProblems(source)),
    ...(await stampKeyProblems(source)),
  ];
}

const KEY_FILE = ['key_file'];
const NEXT_KEY_FILE = ['next_key_file'];
const CERTIFICATE_FILE = ['collector', 'client_certificate', 'certificate_file'];
const CERTIFICATE_KEY_FILE = ['collector', 'client_certificate', 'key_file'];

/** The certificates for talking to the collector; whether two belong together is asked once each is good alone. */
async function certificateProblems(source: YamlSource): Promise<ConfigProblem[]> {
  const nowMs = Date.now();
  const certificateFile = fileAt(source, CERTIFICATE_FILE);
  const keyFile = fileAt(source, CERTIFICATE_KEY_FILE);
  const alone = [
    ...(await fileProblems(source, ['collector', 'ca_file'], (file) => readAuthorities(file, nowMs))),
    ...(await fileProblems(source, CERTIFICATE_FILE, (file) => readCertificateChain(file, nowMs))),
    ...(await fileProblems(source, CERTIFICATE_KEY_FILE, (file) => readCertificateKey(file))),
  ];
  if (alone.length > 0 || certificateFile === null || keyFile === null) return alone;
  return fileProblems(source, CERTIFICATE_FILE, (file) => readClientCertificate(file, keyFile, nowMs));
}

/** The absolute path that stands at a place of the configuration, or null. */
function fileAt(source: YamlSource, path: Path): string | null {
  const { success, data } = filePath.safeParse(valueAt(source, path));
  return success ? resolveBeside(source.file, data) : null;
}

/** Tries the file that is named at `path`; none is no problem. */
async function fileProblems(source: YamlSource, path: Path, read: (file: string) => unknown): Promise<ConfigProblem[]> {
  const file = fileAt(source, path);
  if (file === null) return [];
  const outcome = await attempt(source, path, () => read(file));
  return 'problem' in outcome ? [outcome.problem] : [];
}

async function signingKeyProblems(source: YamlSource): Promise<ConfigProblem[]> {
  const alone = [
    ...(await fileProblems(source, KEY_FILE, (file) => readSigningKey(file))),
    ...(await fileProblems(source, NEXT_KEY_FILE, (file) => readSigningKey(file))),
  ];
  const keyFile = fileAt(source, KEY_FILE);
  if (alone.length > 0 || keyFile === null) return alone;
  return fileProblems(source, NEXT_KEY_FILE, async (file) => refuseSameKey(file, keyFile));
}

async function refuseSameKey(file: string, other: string): Promise<void> {
  const [{ kid }, before] = [await readSigningKey(file), await readSigningKey(other)];
  if (kid !== before.kid) return;
  const found = `the key ${kid}, which key_file has as well`;
  const remedy = 'make a new pair with popprobe keygen';
  throw new PopprobeError('config_conflict', { expected: 'another key', found, remedy });
}

/** Both ends of a session need its key: a PoP those of what it sends and those of what it reflects. */
async function stampKeyProblems(source: YamlSource): Promise<ConfigProblem[]> {
  const path = ['stamp_keys'];
  const { success, data } = filePath.safeParse(valueAt(source, path));
  const pop = configName.safeParse(valueAt(source, ['pop']));
  const mesh = openNamedMesh(source).source;
  if (!success || !pop.success || mesh === null) return [];
  const directory = resolveBeside(source.file, data);
  const problems: ConfigProblem[] = [];
  for (const peer of authenticatedPeers(mesh, pop.data)) {
    for (const [from, to] of [
      [pop.data, peer],
      [peer, pop.data],
    ] as const) {
      const keys = await attempt(source, path, () => readStampKeys(directory, from, to));
      if ('problem' in keys) problems.push(keys.problem);
    }
  }
  return problems;
}

/** The PoPs with which a PoP shares the family of an authenticated class. */
function authenticatedPeers(mesh: YamlSource, pop: string): string[] {
  const pops = popParts(mesh);
  const self = pops.find(({ name }) => name === pop);
  if (self === undefined) return [];
  const families = stampNeeds(mesh)
    .filter(({ authenticated, family }) => authenticated && self.has[family] === true)
    .map(({ family }) => family);
  return pops.flatMap(({ name, has }) =>
    name !== null && name !== pop && families.some((family) => has[family] === true) ? [name] : [],
  );
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
  read: () => T | Promise<T>,
): Promise<{ value: T } | { problem: ConfigProblem }> {
  try {
    return { value: await read() };
  } catch (error) {
    if (!(error instanceof PopprobeError)) throw error;
    const { code, expected, found, remedy } = error;
    return { problem: problemAt(source, path, { code, expected, found, remedy }) };
  }
}
