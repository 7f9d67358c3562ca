/** What a collector needs to know: where it listens and stores, and whose summaries it accepts. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { resolveBeside } from './beside-file.ts';
import { openConfigFile } from './config-file.ts';
import { duplicates, type Entry, entriesOf } from './duplicates.ts';
import { freezeDeep } from './freeze.ts';
import { type ConfigProblem, inReadingOrder, type Loaded } from './problem.ts';
import { configName, filePath, logLevel, schemaLine, wholeNumber } from './schema-parts.ts';
import { validate } from './validate.ts';
import { valueAt, type YamlSource } from './yaml-source.ts';

export const COLLECTOR_SCHEMA = 'popprobe.collector/1';

const HOST = 'an IP address or host name to listen on, as 127.0.0.1';

const popSchema = z.strictObject({
  name: configName,
  key_files: z
    .array(filePath)
    .min(1, 'at least one public key file')
    .max(LIMITS.keysPerPopMax, `at most ${LIMITS.keysPerPopMax} public key files`),
});

export const collectorSchema = z.strictObject({
  schema: schemaLine(COLLECTOR_SCHEMA),
  listen: z.strictObject({
    host: z.string(HOST).regex(/^[A-Za-z0-9.:_-]{1,253}$/, HOST),
    port: wholeNumber(1, 65_535, 'a TCP port'),
  }),
  store: z.strictObject({ sqlite_file: filePath }),
  pops: z.array(popSchema).min(1, 'at least one PoP'),
  log_level: logLevel,
});

/** All paths are absolute. */
export interface CollectorConfig {
  readonly listen: { readonly host: string; readonly port: number };
  readonly store: { readonly sqliteFile: string };
  /** Whose summaries are accepted, each with its public keys: the current one, and older ones during a rotation. */
  readonly pops: readonly { readonly name: string; readonly keyFiles: readonly string[] }[];
  readonly logLevel: z.infer<typeof logLevel>;
}

/** Reads, checks and freezes collector.yaml. Never throws for what it may contain. */
export function loadCollectorConfig(file: string): Loaded<CollectorConfig> {
  const { source, problems: ofYaml } = openConfigFile(file);
  if (source === null) return { config: null, problems: ofYaml };
  const { value, problems: violations } = validate(source, collectorSchema);
  const problems = inReadingOrder([...ofYaml, ...violations, ...repetitions(source)]);
  if (value === null || problems.length > 0) return { config: null, problems };
  const config = freezeDeep<CollectorConfig>({
    listen: value.listen,
    store: { sqliteFile: resolveBeside(file, value.store.sqlite_file) },
    pops: value.pops.map(({ name, key_files }) => ({
      name,
      keyFiles: key_files.map((path) => resolveBeside(file, path)),
    })),
    logLevel: value.log_level,
  });
  return { config, problems: [] };
}

/** A key stands for one PoP, so a file that two of them list is a mistake, by whatever path. */
function repetitions(source: YamlSource): ConfigProblem[] {
  return [
    ...duplicates(source, entriesOf(source, ['pops'], 'name'), 'a name that no other PoP has'),
    ...duplicates(source, keyFileEntries(source), 'a key file that is listed once'),
  ];
}

/** Every key file that the collector lists, by its absolute path; works on files with other mistakes too. */
export function keyFileEntries(source: YamlSource): Entry[] {
  const pops = valueAt(source, ['pops']);
  if (!Array.isArray(pops)) return [];
  return pops.flatMap((_, pop) => {
    const files = valueAt(source, ['pops', pop, 'key_files']);
    if (!Array.isArray(files)) return [];
    return files.flatMap((file: unknown, index) => {
      const { success, data } = filePath.safeParse(file);
      const path = ['pops', pop, 'key_files', index];
      return success ? [{ path, identity: resolveBeside(source.file, data) }] : [];
    });
  });
}
