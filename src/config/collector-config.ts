/** What a collector needs to know: where it listens and stores, and whose documents it accepts. */

import { z } from 'zod';
import { LIMITS } from '../base/limits.ts';
import { resolveBeside } from './beside-file.ts';
import { openConfigFile } from './config-file.ts';
import { duplicates, type Entry, entriesOf } from './duplicates.ts';
import { freezeDeep } from './freeze.ts';
import { type ConfigProblem, inReadingOrder, type Loaded } from './problem.ts';
import { keyPaths, keyPeriodConflicts } from './key-periods.ts';
import { configName, filePath, instant, logLevel, schemaLine, wholeNumber } from './schema-parts.ts';
import { validate } from './validate.ts';
import { valueAt, type YamlSource } from './yaml-source.ts';

export const COLLECTOR_SCHEMA = 'popprobe.collector/1';

const HOST = 'an IP address or host name to listen on, as 127.0.0.1';

/** `from` and `until` are of the documents' own time, `revoked_at` of the collector's clock. */
const keySchema = z.strictObject({
  file: filePath,
  from: instant.optional(),
  until: instant.optional(),
  revoked_at: instant.optional(),
});

const popSchema = z.strictObject({
  name: configName,
  keys: z
    .array(keySchema)
    .min(1, 'at least one public key')
    .max(LIMITS.keysPerPopMax, `at most ${LIMITS.keysPerPopMax} public keys`),
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

/** A public key and how long it is believed; a time that is absent is no limit. ms since the Unix epoch. */
interface CollectorKey {
  /** Absolute path. */
  readonly file: string;
  /** The first and the last instant of which its documents may tell: the end of their window, or when an event was. */
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** From when on nothing more is accepted of it, whatever time it states. */
  readonly revokedAtMs?: number;
}

/** All paths are absolute. */
export interface CollectorConfig {
  readonly listen: { readonly host: string; readonly port: number };
  readonly store: { readonly sqliteFile: string };
  /** Whose documents are accepted, each with its public keys: the current one, older ones, and the next. */
  readonly pops: readonly { readonly name: string; readonly keys: readonly CollectorKey[] }[];
  readonly logLevel: z.infer<typeof logLevel>;
}

/** Reads, checks and freezes collector.yaml. Never throws for what it may contain. */
export function loadCollectorConfig(file: string): Loaded<CollectorConfig> {
  const { source, problems: ofYaml } = openConfigFile(file);
  if (source === null) return { config: null, problems: ofYaml };
  const { value, problems: violations } = validate(source, collectorSchema);
  const problems = inReadingOrder([...ofYaml, ...violations, ...repetitions(source), ...keyPeriodConflicts(source)]);
  if (value === null || problems.length > 0) return { config: null, problems };
  const config = freezeDeep<CollectorConfig>({
    listen: value.listen,
    store: { sqliteFile: resolveBeside(file, value.store.sqlite_file) },
    pops: value.pops.map(({ name, keys }) => ({ name, keys: keys.map((key) => toCollectorKey(file, key)) })),
    logLevel: value.log_level,
  });
  return { config, problems: [] };
}

function toCollectorKey(config: string, { file, from, until, revoked_at }: z.infer<typeof keySchema>): CollectorKey {
  return {
    file: resolveBeside(config, file),
    ...(from !== undefined && { fromMs: Date.parse(from) }),
    ...(until !== undefined && { untilMs: Date.parse(until) }),
    ...(revoked_at !== undefined && { revokedAtMs: Date.parse(revoked_at) }),
  };
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
  return keyPaths(source).flatMap((key) => {
    const path = [...key, 'file'];
    const { success, data } = filePath.safeParse(valueAt(source, path));
    return success ? [{ path, identity: resolveBeside(source.file, data) }] : [];
  });
}
